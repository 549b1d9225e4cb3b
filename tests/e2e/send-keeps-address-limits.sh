#!/bin/bash
# once: the users do not matter to it
# limit_type=mxip of control/destinations, as the servers count it: domains that share a host share its limit and take turns, also where one
# has a lower one; each of two hosts of a domain has one of its own, and what finds them all full waits without a try; a domain without it
# goes on beside them.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/sites.sh"
. "$TESTS/nsd.sh"
make_sites shared.test mx1.test mx2.test few.test free.test busy.test
zone test <<'Z'
shared A 127.0.0.2
mx1 A 127.0.0.3
mx2 A 127.0.0.4
few A 127.0.0.5
free A 127.0.0.6
busy A 127.0.0.7
one MX 10 shared
other MX 10 shared
double MX 10 mx1
double MX 10 mx2
fewone MX 5 few
fewother MX 5 few
mixed MX 5 few
mixed MX 10 busy
Z
start_nsd
echo "postern-dnsq --resolver $DNS" > "$POSTERN_HOME/control/dnsq"
cat > "$POSTERN_HOME/control/destinations" <<'S'
one.test limit_type=mxip max_host_concurrency=3
other.test limit_type=mxip max_host_concurrency=1
double.test limit_type=mxip max_host_concurrency=2
fewone.test limit_type=mxip recipient_limit=10 recipient_minutes=1
fewother.test limit_type=mxip recipient_limit=10 recipient_minutes=1
mixed.test limit_type=mxip recipient_limit=10 recipient_minutes=1
S
start_rspawn
start_counting 127.0.0.2 shared --delay 0.05
start_counting 127.0.0.3 mx1 --delay 0.1
start_counting 127.0.0.4 mx2 --delay 0.1
start_counting 127.0.0.5 few
start_counting 127.0.0.6 free
start_counting 127.0.0.7 busy --reply mail="451 4.3.2 not now"
mail one > "$T/message"
queue_many() {
  local mid from=$1 to=$2; shift 2
  for mid in $(seq "$from" "$to"); do MID=$mid queue_message a@x.example "$@" < "$T/message" 2> /dev/null || fail "queue"; done
}
queue_many 1001 1600 b@one.test
queue_many 2001 2040 b@other.test
queue_many 3001 3100 b@double.test
MID=4001 queue_message a@x.example $(for i in $(seq 25); do echo "r$i@fewone.test"; done) alice@free.test < "$T/message" 2> /dev/null || fail "queue"
queue_many 4002 4010 c@fewother.test d@fewother.test
queue_many 5001 5040 e@free.test
start_send
wait_for 30 rcpts_are free 41
wait_for 30 rcpts_are few 10
# Where one host is full and another one was there and took it not, that was a try.
MID=6001 queue_message a@x.example f@mixed.test < "$T/message" 2> /dev/null || fail "queue"
delayed() { grep -q '^Info: Delayed: 6001:0 .*not now' "$T/send.log"; }
wait_for 30 delayed
# They take turns: what is few does not wait for all of the other.
to_other() { [ "$(grep -c 'other.test' "$T/shared")" -ge 40 ]; }
wait_for 90 to_other
expect_equal "$(grep -c '@other.test' "$T/shared")" 40 "recipients of the other domain"
[ "$(grep -c '@one.test' "$T/shared")" -lt 600 ] || fail "the other domain waited for all of the first"
wait_for 120 rcpts_are shared 640
wait_for 60 eval '[ $(($(rcpts mx1) + $(rcpts mx2))) -ge 100 ]'
read -r at_once _ all < <(most_of shared 60)
expect_equal "$at_once $all" "3 640" "connections at once to the shared host, recipients"
for host in mx1 mx2; do
  read -r at_once _ all < <(most_of "$host" 60)
  expect_equal "$at_once" 2 "connections at once to $host"
  [ "$all" -ge 20 ] || fail "$host had $all of 100"
done
expect_equal "$(rcpts few)" 10 "recipients of one minute"
# Nothing was put off as if it had failed, and no site is thought away.
grep -v '^Info: Delayed: 6001:0 ' "$T/send.log" > "$T/others"
expect_not_in "$T/others" '^Info: (Delayed|Bounced):'
expect_not_in "$T/send.log" ' is away'
expect_in "$POSTERN_HOME/queue/sites" '^up .* fewone\.test .*recipient_limit=10 is reached for 127\.0\.0\.5'
# flush --all sets back what remote counts too.
"$B/postern-qctl" flush --all > /dev/null || fail "flush"
wait_for 30 rcpts_are few 20
