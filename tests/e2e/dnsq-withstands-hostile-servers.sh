#!/bin/bash
# once: the users do not matter to it
# A name server that lies, babbles, or says nothing (tests/dns-server.py): what it says beside the question is not believed and not
# kept; no kind of nonsense is taken for "no such name"; each question ends in bounded time, and others are answered meanwhile.
. "$(dirname "$0")/../lib.sh"
make_home
PORT=$(free_port)
start upstream python3 "$TESTS/dns-server.py" 127.0.0.1 "$PORT" "$T/queries"
wait_for 30 listening "$PORT"
echo "127.0.0.1:$PORT" > "$POSTERN_HOME/control/resolver"
start dnsq "$B/postern-bind" dnsq root "$B/postern-dnsq" --serve
wait_for 30 test -S "$POSTERN_HOME/run/dnsq"
ask() { timeout 40 python3 "$TESTS/ask.py" dnsq -- "$@"; }
first() { ask "$@" | head -n 1; }
number_of() { grep -c -- "$1" "$T/queries"; }

# Those that are waited for begin now.
for how in silent wrongid; do
  { ask ip $how.x.test > "$T/slow.$how"; echo $? >> "$T/slow.$how"; } &
  SLOW="${SLOW:-} $!"
done

# Lies. The cache is asked about the victim before and after.
for how in poison othername otherquestion late; do
  ask ip $how.x.test > "$T/$how"
  expect_not_in "$T/$how" '6\.6\.6\.6'
done
expect_in "$T/poison" '^data 127.0.0.2$'
expect_in "$T/late" '^data 127.0.0.2$'
ask ip poison.y.test > /dev/null
for victim in victim.x.test victim.y.test; do
  ask ip $victim > "$T/victim"
  expect_in "$T/victim" '^data 127.0.0.9$'
  expect_not_in "$T/victim" '6\.6\.6\.6'
done
expect_equal "$(first any A otherquestion.x.test)" "answer any otherquestion.x.test failed"

# Nonsense, refusals and lame servers are no answer.
for how in tconly loop endless garbage pointer short formerr servfail notimp refused nxrrset; do
  ask mx $how.x.test > "$T/out"
  expect_equal $? 111 "exit code of $how"
  expect_equal "$(head -n 1 "$T/out")" "answer mx $how.x.test failed" "$how"
done
expect_equal "$(first mx badrdata.x.test)" "answer mx badrdata.x.test failed"
# An MX whose host cannot be looked up is found, and says so.
ask mx mail.x.test > "$T/out" || fail "exit code $?"
expect_in "$T/out" '^host 10 mx.mail.x.test$'
expect_in "$T/out" '^data 127.0.0.2$'

# Truncated: over TCP. Large: to the bounds, and an answer that does not fit has failed.
expect_equal "$(ask ip tc.x.test | grep -c '^data')" 1 "over TCP"
expect_in "$T/queries" '^tcp tc.x.test A$'
expect_equal "$(ask any A giant200.x.test | grep -c '^data')" 200 "200 records"
expect_equal "$(ask any A giant1200.x.test | grep -c '^data')" 256 "1200 records"
expect_equal "$(first any A giant3000.x.test)" "answer any giant3000.x.test failed"
ask txt text.x.test > "$T/out"
expect_equal $? 111 "exit code of an answer that is too long"
expect_equal "$(cat "$T/out")" "answer txt text.x.test failed" "too long"

for pid in $SLOW; do wait "$pid"; done
for how in silent wrongid; do
  expect_equal "$(sed -n '1p;$p' "$T/slow.$how" | tr '\n' ' ')" "answer ip $how.x.test failed 111 " "$how"
  [ "$(number_of "udp $how.x.test A")" -le 12 ] || fail "$how was asked for $(number_of "udp $how.x.test A") times"
done
expect_not_in "$T/slow.wrongid" '6\.6\.6\.6'
# The resident is whole.
expect_equal "$(first mx after.x.test)" "answer mx after.x.test found"
expect_not_in "$T/dnsq.log" .
