#!/bin/bash
# once: the users do not matter to it
# limit_type=mxip: the place of a worker that is killed is free, and its recipients count; the counts of an address hold over restarts of
# postern-rspawn and postern-send, ended by SIGTERM and by SIGKILL with jobs out, as the server counts it.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/sites.sh"
make_sites one.test few.test stuck.test
for name in a b; do echo "$name.test MX 10 few.test." >> "$T/dns"; done
cat > "$POSTERN_HOME/control/destinations" <<'S'
one.test   limit_type=mxip max_host_concurrency=1
stuck.test limit_type=mxip recipient_limit=4 recipient_minutes=1
a.test     limit_type=mxip recipient_limit=30 recipient_minutes=1 max_host_concurrency=4
b.test     limit_type=mxip recipient_limit=30 recipient_minutes=1 max_host_concurrency=4
S
start_rspawn
RSPAWN=$LAST_PID
start_counting 127.0.0.2 one
start_counting 127.0.0.3 few --delay 0.3
start_counting 127.0.0.4 stuck --delay 6
mail one > "$T/message"
queue_one() { MID=$1 queue_message a@x.example "${@:2}" < "$T/message" 2> /dev/null || fail "queue"; }
# The worker whose connection to an address is open.
worker_at() { ss -Htnp "dst $1" | sed -n 's/.*"postern-rspawn",pid=\([0-9]*\).*/\1/p' | head -n 1; }
need ss
# Killed with its connection kept: that counts no more, and mail goes on at once, over a connection of another worker.
queue_one 1001 b@one.test
start_send
wait_for 30 rcpts_are one 1
kept_there() { [ -n "$(worker_at 127.0.0.2)" ]; }
wait_for 30 kept_there
kill -KILL "$(worker_at 127.0.0.2)"
queue_one 1002 b@one.test
wait_for 15 rcpts_are one 2
# Killed with its job out: what it had named counts, so of five recipients the fifth waits, and the others when they are tried again.
queue_one 2001 s1@stuck.test s2@stuck.test s3@stuck.test
wait_for 30 rcpts_are stuck 3
kill -KILL "$(worker_at 127.0.0.4)"
queue_one 2002 s4@stuck.test s5@stuck.test
wait_for 30 rcpts_are stuck 4
full() { grep -q ' stuck\.test .*recipient_limit=4 is reached for 127\.0\.0\.4' "$POSTERN_HOME/queue/sites"; }
wait_for 30 full
expect_equal "$(rcpts stuck)" 4 "recipients within the minute, with a worker killed"
# Restarts.
for mid in $(seq 3001 3025); do queue_one "$mid" x@a.test; done
for mid in $(seq 4001 4020); do queue_one "$mid" x@b.test; done
for signal in KILL TERM KILL; do
  before=$(rcpts few)
  wait_for 90 rcpts_are few $((before + 4))
  stop_send -$signal
  kill -$signal "$RSPAWN"
  wait "$RSPAWN" 2> /dev/null
  rm -f "$POSTERN_HOME/run/rspawn"
  start_rspawn
  RSPAWN=$LAST_PID
  start_send
done
wait_for 60 rcpts_are few 30
# Whatever had ended and was sent again: the server has seen no more than 30 in any minute, and no more connections than four.
wait_for 150 rcpts_are few 45
read -r at_once within _ < <(most_of few 60)
[ "$at_once" -le 4 ] || fail "$at_once connections at once"
[ "$within" -le 30 ] || fail "$within recipients within a minute"
expect_not_in "$T/send.log" '^Info: Bounced:'
