#!/bin/bash
# once: the users do not matter to it
# A shell script as QMAILQUEUE refuses by subject with exit 82; behind postern-serve, as @judge, it gives a client the same
# answers, word for word.
. "$(dirname "$0")/../lib.sh"
need tcpserver python3
make_own_instance
install -m 755 "$TESTS/data/judge.sh" "$T/judge"
echo "$B/postern-queue" > "$T/next"

SERVED=$(free_port)
start path env RELAYCLIENT= QMAILQUEUE="$T/judge" tcpserver -RHl0 127.0.0.1 "$PORT" "$B/postern-smtpd"
start resident env RELAYCLIENT= QMAILQUEUE=@judge tcpserver -RHl0 127.0.0.1 "$SERVED" "$B/postern-smtpd"
start judge "$B/postern-serve" --workers 2 run/judge "$T/judge"
wait_for 30 test -S "$POSTERN_HOME/run/judge"
wait_for 30 listening "$PORT"
wait_for 30 listening "$SERVED"

try() {  # FORM PORT
  local subject
  PORT=$2
  for subject in hello "a lottery" greylist shrug mumble refuse die hello-again; do
    printf '%s: ' "$subject"
    mail "$subject" | inject a@other.example b@mx.example.org | sed 's/^250 \(.*ok\) [0-9]*$/250 \1 MID/'
  done > "$T/$1.answers"
}
try path "$PORT"
try resident "$SERVED"
expect_equal "$(cat "$T/path.answers")" "hello: 250 2.0.0 ok MID
a lottery: 554 5.7.1 no lotteries here, please
greylist: 451 4.7.1 come back later
shrug: 451 4.3.0 a temporary fault inside
mumble: 451 4.3.0 what is this
refuse: 554 5.7.1 the message was refused
die: 451 4.3.0 a service inside does not answer
hello-again: 250 2.0.0 ok MID" "answers of the path form"
diff <(grep -v ^die "$T/path.answers") <(grep -v ^die "$T/resident.answers") || fail "the two forms answer differently"
expect_in "$T/resident.answers" '^die: 451 4\.'
expect_equal "$(spool_files new | wc -l)" 4 "messages in the queue"
expect_equal "$("$B/postern-qread" | grep -c $'<a@other.example>\tP <b@mx.example.org>$')" 4 "with their envelopes"
expect_equal "$(spool_files tmp)" "" "files in tmp/"

# A program that is not there, and one that cannot be executed: temporary.
for program in "$T/none" "$T/next" @none ""; do
  printf 'EHLO c.example\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@mx.example.org>\r\nDATA\r\nSubject: x\r\n.\r\nQUIT\r\n' |
    RELAYCLIENT='' QMAILQUEUE=$program "$B/postern-smtpd" > "$T/out" 2> "$T/log"
  [ -n "$program" ] && expect_in "$T/out" '^451 4\.'
done
exit 0
