#!/bin/bash
# once: the users do not matter to it
# control/destinations: as a server counts it, never more connections at once and never more recipients within the minute than it says,
# also of one message with more recipients than that; other domains go on; SIGHUP and flush --all as they are described.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/sites.sh"
make_sites narrow.test few.test free.test
cat > "$POSTERN_HOME/control/destinations" <<'S'
narrow.test max_host_concurrency=3
few.test recipient_limit=10 recipient_minutes=1
S
start_rspawn
start_counting 127.0.0.2 narrow --delay 0.05
start_counting 127.0.0.3 few
start_counting 127.0.0.4 free
mail one > "$T/message"
for mid in $(seq 1001 1100); do MID=$mid queue_message a@x.example b@narrow.test < "$T/message" 2> /dev/null || fail "queue"; done
MID=2001 queue_message a@x.example $(for i in $(seq 25); do echo "r$i@few.test"; done) alice@free.test < "$T/message" 2> /dev/null || fail "queue"
for mid in $(seq 2002 2020); do MID=$mid queue_message a@x.example c@few.test d@few.test < "$T/message" 2> /dev/null || fail "queue"; done
for mid in $(seq 3001 3040); do MID=$mid queue_message a@x.example e@free.test < "$T/message" 2> /dev/null || fail "queue"; done
start_send
wait_for 60 rcpts_are narrow 100
wait_for 30 rcpts_are free 41
wait_for 30 rcpts_are few 10
read -r at_once _ all < <(most_of narrow 60)
expect_equal "$at_once $all" "3 100" "connections at once, recipients"
expect_equal "$(rcpts few)" 10 "recipients of one minute"
counted() { [ "$(site_row few.test | cut -d' ' -f4)" = 10 ]; }
wait_for 30 counted
# Nothing of the message was put off as if it had failed: it has no try noted.
expect_not_in "$T/send.log" '^Info: Delayed: 2001'
# A higher limit counts what went before.
sed -i 's/recipient_limit=10/recipient_limit=14/' "$POSTERN_HOME/control/destinations"
kill -HUP "$SEND_PID"
wait_for 30 rcpts_are few 14
# flush for one site is no reset, for all it is.
"$B/postern-qctl" flush --site few.test > /dev/null || fail "flush"
MID=4001 queue_message a@x.example z@free.test < "$T/message" 2> /dev/null || fail "queue"
wait_for 30 rcpts_are free 42
expect_equal "$(rcpts few)" 14 "recipients after flush of one site"
"$B/postern-qctl" flush --all > /dev/null || fail "flush"
wait_for 30 rcpts_are few 28
expect_equal "$(rcpts few)" 28 "recipients after flush --all"
read -r _ within _ < <(most_of few 1)
[ "$within" -le 28 ] || fail "$within within a second"
