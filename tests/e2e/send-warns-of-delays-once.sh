#!/bin/bash
# once: the users do not matter to it
# A message that is still being tried after delay_warning_interval: its sender is told once, also over a restart of send, unless
# NOTIFY asks for no such thing. What is tried for too long fails after that, and is told as that. Warnings are off unless a profile turns them on.
. "$(dirname "$0")/../lib.sh"
make_own_instance --local home.example --user alice
echo 1 > "$POSTERN_HOME/control/retryfirst"
echo 1 > "$POSTERN_HOME/control/retrylongest"
start_stubs
start_send
mail one > "$T/message"
MID=4711 queue_with_extras 'eID\0tlate.c@far.example\0nDELAY\0tlate.d@far.example\0nFAILURE,SUCCESS\0tlate.e@far.example\0nNEVER\0' \
  keep@home.example late.a@home.example late.b@far.example late.c@far.example late.d@far.example late.e@far.example \
  < "$T/message" 2> /dev/null || fail "queue"
MID=4712 queue_message "" late@far.example < "$T/message" 2> /dev/null || fail "queue"
tries() { "$B/postern-qread" | awk -F'\t' -v mid="$1" -v least="$2" '$1 == mid && $5 >= least { found = 1 } END { exit !found }'; }
wait_for 30 tries 4711 2
expect_equal "$(kept)" "" "warnings while they are off"

echo 'DEFAULT send_delay_warnings=on delay_warning_interval=1' > "$POSTERN_HOME/control/bounceprofiles"
kill -HUP "$SEND_PID"
wait_for 30 kept_are 1
expect_in "$T/send.log" '^Info: MID [0-9]+ was generated for delay warning of MID 4711$'
"$TESTS/dsn.py" "$(kept)" > "$T/told" || fail "the warning: $(cat "$T/told")"
printf '%s\n' "to keep@home.example" "envid ID" "returned headers" "late.a@home.example delayed 4.7.1 until" \
  "late.b@far.example delayed 4.7.1 until" "late.c@far.example delayed 4.7.1 until" | diff - "$T/told" || fail "what is told"
expect_in "$POSTERN_HOME/queue/defer/$((4711 % 16))/4711" '^w 0 [0-9]+$'
before=$("$B/postern-qread" | grep ^4711 | cut -f5)
wait_for 30 tries 4711 $((before + 2))
expect_equal "$(kept | wc -l)" 1 "warnings after further tries"
stop_send
start_send
before=$("$B/postern-qread" | grep ^4711 | cut -f5)
wait_for 30 tries 4711 $((before + 1))
expect_equal "$(kept | wc -l)" 1 "warnings after a restart"

# Some get it now, the others never: one more DSN, of what was asked for.
rm "$(kept)"
echo 1 > "$POSTERN_HOME/control/queuelifetime"
kill -HUP "$SEND_PID"
wait_for 30 queue_empty
expect_equal "$(kept | wc -l)" 1 "DSNs at the end"
"$TESTS/dsn.py" "$(kept)" > "$T/told" || fail "the failure: $(cat "$T/told")"
printf '%s\n' "to keep@home.example" "envid ID" "returned headers" "late.a@home.example failed 5.7.1" "late.b@far.example failed 5.7.1" \
  "late.d@far.example failed 5.7.1" | diff - "$T/told" || fail "what is told in the end"
expect_equal "$(spool_files "" | grep -v /lock)" "" "files at the end"
