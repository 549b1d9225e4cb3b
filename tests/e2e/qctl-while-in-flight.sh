#!/bin/bash
# Orders for a message that is out for delivery: what was delivered stays delivered, the order meets what came back; jobs
# that nobody has yet are taken back; and nothing is left beside a message that has gone.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/qctl.sh"
make_own_instance --local home.example --user alice
echo 3600 > "$POSTERN_HOME/control/retryfirst"
echo 1 > "$POSTERN_HOME/control/concurrencyremote"
make_deliverer
touch "$T/wait"
start_send
begun() { grep -qF -- "begin $1" "$T/begun"; }
gate() { touch "$T/gate"; }
no_gate() { rm -f "$T/gate"; }

# remove: one comes back deferred and goes, without a report.
queued 4711 a@one.example
wait_for 30 begun a@one.example
must_qctl remove --mid 4711
gate
wait_for 30 queue_empty
no_gate
expect_in "$T/send.log" '^Info: MID 4711 RID 0 removed by order of '
expect_equal "$(grep -c one.example "$T/deliveries")" 1 "tries"

# The same, and the host says no for good: nobody is told either. hold: it says no, and the sender is told.
echo 'h5.1.1 no such user' > "$T/verdict"
queued 4721 b@one.example
wait_for 30 begun b@one.example
must_qctl remove --mid 4721
gate
wait_for 30 queue_empty
no_gate
expect_not_in "$T/send.log" 'bounce of MID 4721'
queued 4722 c@one.example
wait_for 30 begun c@one.example
must_qctl hold --mid 4722
gate
wait_for 30 grep -q 'was generated for bounce of MID 4722' "$T/send.log"
wait_for 30 queue_empty
no_gate

# Delivered while the removal was ordered: delivered, and no order is left beside it.
echo 'rtaken' > "$T/verdict"
queued 4731 d@one.example
wait_for 30 begun d@one.example
must_qctl remove --mid 4731
gate
wait_for 30 grep -q 'Message finished MID 4731 done' "$T/send.log"
expect_not_in "$T/send.log" 'MID 4731 RID 0 removed'
wait_for 30 queue_empty
no_gate
expect_equal "$(spool_files "" | grep -v /lock)" "" "files after what was in flight"

# One place: the job of the second site waits in line. Held, it is not tried although the first one still is out.
echo 'snot now' > "$T/verdict"
queued 4741 e@one.example f@two.example g@three.example
wait_for 30 begun e@one.example
must_qctl hold --mid 4741 --site two.example
must_qctl bounce --mid 4741 --site three.example
must_qctl flush --mid 4741
gate
wait_for 30 grep -q 'was generated for bounce of MID 4741' "$T/send.log"
wait_for 30 qread_has $'^4741\t.*\tP <e@one.example>\tH <f@two.example>\tX <g@three.example>$'
# The flush came while it was out, so it is tried once more.
tried_twice() { [ "$(grep -c e@one.example "$T/deliveries")" = 2 ]; }
wait_for 30 tried_twice
wait_for 30 tried_times 4741 2
expect_not_in "$T/deliveries" 'two.example|three.example'
no_gate

# A bounce of the rest, in flight; a reroute of what is in flight holds for the next try.
must_qctl reroute '[2001:db8::7]' --mid 4741
must_qctl flush --mid 4741
wait_for 30 delivered_to "one.example [2001:db8::7] e@one.example" & waiter=$!
gate
wait $waiter || exit 1
no_gate
wait_for 30 tried_times 4741 3
must_qctl flush --mid 4741
flying() { [ "$(grep -c 'begin e@one.example' "$T/begun")" = 4 ]; }
wait_for 30 flying
must_qctl bounce --mid 4741
gate
wait_for 30 queue_empty
expect_equal "$(grep -c 'was generated for bounce of MID 4741' "$T/send.log")" 2 "reports"
expect_equal "$(spool_files "" | grep -v /lock)" "" "files at the end"
