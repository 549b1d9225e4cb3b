#!/bin/bash
# Orders are kept: given while postern-send is down, or killed at any step after it, they hold when it is back; a message
# that is held stays for good, older than any lifetime; one in new/ has its orders before its first try.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/qctl.sh"
make_own_instance --local home.example --user alice
echo 3600 > "$POSTERN_HOME/control/retryfirst"
make_deliverer

# In new/, not yet taken by anybody.
queued 4711 a@one.example b@two.example c@three.example d@four.example
must_qctl hold --mid 4711 --site one.example
must_qctl remove --mid 4711 --site two.example
must_qctl reroute relay.example:26 --mid 4711 --site three.example
must_qctl bounce --mid 4711 --site four.example
expect_equal "$(spool_files new | wc -l)" 1 "messages in new/"
expect_in <("$B/postern-qread") $'^4711\tnew\t.*\tH <a@one.example>\tR <b@two.example>\tP <c@three.example>\tX <d@four.example>$'
must_qctl bounce --mid 4711 --site four.example
expect_equal "$(cat "$T/qctl.out")" "nothing to bounce"
start_send
wait_for 30 delivered_to "three.example relay.example:26 c@three.example"
wait_for 30 tried_times 4711 1
wait_for 30 grep -q 'was generated for bounce of MID 4711' "$T/send.log"
expect_equal "$(wc -l < "$T/deliveries")" 1 "tries"

# Killed and started anew: each order still holds, and the report is not made again.
for i in 1 2; do
  kill_send
  must_qctl flush --mid 4711
  start_send
  wait_for 30 tried_times 4711 $((i + 1))
done
expect_equal "$(sort -u "$T/deliveries")" "three.example relay.example:26 c@three.example"
expect_equal "$(grep -c 'was generated for bounce' "$T/send.log")" 1 "reports"

# Past its lifetime: what is pending fails, what is held stays.
echo 0 > "$POSTERN_HOME/control/queuelifetime"
kill -HUP "$SEND"
must_qctl flush --mid 4711
wait_for 30 qread_has $'^4711\t.*\tH <a@one.example>\tR <b@two.example>\tX <c@three.example>\tX <d@four.example>$'
kill_send
start_send
echo 'rtaken' > "$T/verdict"
must_qctl reroute - --all
must_qctl release --all
wait_for 30 delivered_to "one.example - a@one.example"
wait_for 30 queue_empty
expect_equal "$(spool_files "" | grep -v /lock)" "" "files at the end"

# Two orders that only together say what to do, given while send is down: the last one counts.
kill_send
queued 4712 a@one.example
for verb in hold release hold release hold; do must_qctl $verb --mid 4712; done
: > "$T/deliveries"
start_send
wait_for 30 grep -q 'MID 4712 RID 0 held' "$T/send.log"
must_qctl release --mid 4712
wait_for 30 delivered_to "a@one.example"
wait_for 30 queue_empty
expect_equal "$(wc -l < "$T/deliveries")" 1 "deliveries"
