#!/bin/bash
# postern-queue fed by a shell: message on descriptor 0, envelope on descriptor 1, and anybody who may read the queue sees it.
. "$(dirname "$0")/../lib.sh"
make_own_instance

mail one | "$B/postern-queue" 1< <(printf 'Fa@x\0Tb@y\0Tc@z\0\0') 2> "$T/log" || fail "exit code $?: $(cat "$T/log")"
mid=$(sed -n 's/^Info: MID \([0-9]*\) queued for delivery$/\1/p' "$T/log")
[ -n "$mid" ] || fail "logged: $(cat "$T/log")"
"$B/postern-qread" > "$T/qread" || fail "postern-qread"
expect_equal "$(cut -f1,2,5- "$T/qread")" "$(printf '%s\tnew\t0\t0\t<a@x>\tP <b@y>\tP <c@z>' "$mid")" "qread"
file=$(spool_files new)
# Without a mid of a caller's it gets a Received: line here; the message is as it came behind that.
size=$(cut -f4 "$T/qread")
head -c "$size" "$file" | sed -n 1p | sees -E "^Received: \(postern-queue $mid by uid $(id -u)\); [A-Z][a-z]{2}, [0-9]{2} " || fail "Received: $(head -n 1 "$file")"
cmp <(head -c "$size" "$file" | tail -n +2) <(mail one) || fail "the message"
expect_equal "$(stat -c %a "$file")" 600 "mode"

# With a mid: that one, and not a byte is added. What a caller may keep with the message is kept.
MID=77 TCPREMOTEIP=192.0.2.1 queue_message "" d@example.org < <(mail two) 2> "$T/log" || fail "with a mid"
expect_in "$T/log" '^Info: MID 77 queued for delivery$'
"$B/postern-qread" | grep -E $'^77\tnew\t' | sees -E $'\t<>\tP <d@example.org>$' || fail "the null reverse-path"
cmp <(head -c "$(mail two | wc -c)" "$(find "$POSTERN_HOME/queue/new" -name 77)") <(mail two) || fail "the message, with a mid"
grep -qa 'vTCPREMOTEIP=192.0.2.1' "$(find "$POSTERN_HOME/queue/new" -name 77)" || fail "TCPREMOTEIP is not kept"

# The same mid again: another is made, nothing is overwritten.
MID=77 queue_message "" e@example.org < <(mail three) 2> "$T/log" || fail "the same mid again"
expect_in "$T/log" '^Info: MID 77 rewritten to [0-9]+ by queue$'
expect_equal "$(spool_files new | wc -l)" 3 "messages"

# A message without an end of line, an empty one and a large one, from a pipe.
printf x | queue_message a@x b@y 2> "$T/log" || fail "no end of line"
queue_message a@x b@y < /dev/null 2> "$T/log" || fail "an empty message"
head -c 3000000 /dev/zero | (ulimit -v 40000; MID=99 queue_message a@x b@y) 2> "$T/log" || fail "3 MB in little memory: $(cat "$T/log")"
expect_equal "$("$B/postern-qread" | grep '^99' | cut -f4)" 3000000 "size"
expect_in <("$B/postern-qstat") '^messages in queue: 6$'
expect_in <("$B/postern-qstat") '^being written: 0$'
