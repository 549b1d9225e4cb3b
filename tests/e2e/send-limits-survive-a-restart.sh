#!/bin/bash
# once: the users do not matter to it
# The limits of control/destinations hold over restarts of postern-send, ended by SIGTERM and by SIGKILL with jobs out, as the server counts
# it; the limit of recipients slides: what has its minute behind it makes room.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/sites.sh"
make_sites few.test narrow.test
cat > "$POSTERN_HOME/control/destinations" <<'S'
few.test recipient_limit=30 recipient_minutes=1 max_host_concurrency=4
narrow.test max_host_concurrency=2
S
start_rspawn
start_counting 127.0.0.2 few --delay 0.3
start_counting 127.0.0.3 narrow --delay 2
mail one > "$T/message"
for mid in $(seq 1001 1045); do MID=$mid queue_message a@x.example b@few.test < "$T/message" 2> /dev/null || fail "queue"; done
for mid in $(seq 2001 2020); do MID=$mid queue_message a@x.example b@narrow.test < "$T/message" 2> /dev/null || fail "queue"; done
for round in 1 2 3 4; do
  before=$(rcpts few) other=$(rcpts narrow)
  start_send
  wait_for 90 rcpts_are few $((before + (round < 4 ? 5 : 1)))  # on a slow machine when the minute is over
  wait_for 40 rcpts_are narrow $((other + 1))
  stop_send $([ $((round % 2)) = 1 ] && echo -KILL || echo -TERM)
done
start_send
wait_for 60 rcpts_are few 30
# Up to here all is within a minute, if the machine is quick; whatever it was, the server has seen no more than 30 in any.
wait_for 130 rcpts_are few 45
read -r at_once within _ < <(most_of few 60)
[ "$at_once" -le 4 ] || fail "$at_once connections at once"
[ "$within" -le 30 ] || fail "$within recipients within a minute"
wait_for 120 queue_empty
read -r at_once _ _ < <(most_of narrow 60)
expect_equal "$at_once" 2 "connections at once"
read -r _ within _ < <(most_of few 60)
[ "$within" -le 30 ] || fail "$within recipients within a minute"
