#!/bin/bash
# once: the users do not matter to it
# Hundreds of messages at once and few descriptors (hard limit 256): all are delivered, whether they go here, to another host or both,
# and those whose sender is to be told are told; none is taken for broken.
. "$(dirname "$0")/../lib.sh"
make_own_instance --local home.example --user alice
echo 40 > "$POSTERN_HOME/control/concurrencyremote"
echo 40 > "$POSTERN_HOME/control/concurrencylocal"
start_stubs 8
mail one > "$T/message"
for mid in $(seq 1001 1100); do MID=$mid queue_message r@x.example "r.far@site$((mid % 9)).example" < "$T/message"; done 2> /dev/null
for mid in $(seq 1101 1200); do MID=$mid queue_message r@x.example r.near@home.example < "$T/message"; done 2> /dev/null
far=(h@far.example)
for mid in $(seq 1201 1300); do
  MID=$mid queue_message r@home.example r.near@home.example r.both@far.example "${far[@]:0:$((mid % 5 == 0))}" < "$T/message"
done 2> /dev/null
(ulimit -n 256; exec "$B/postern-send") > "$T/send.log" 2>&1 < /dev/null &
wait_for 40 queue_empty
expect_not_in "$T/send.log" '^(Warning|Critical):'
expect_equal "$(grep -c '^Info: Message finished MID 1[0-9]* done' "$T/send.log")" 300 "messages"
expect_equal "$(grep -c 'was generated for bounce of MID' "$T/send.log")" 20 "bounces"
