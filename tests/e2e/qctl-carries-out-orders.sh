#!/bin/bash
# Each verb, by each selector, for messages that wait: what is ordered happens, to the recipients that were meant and
# to no others, and asking again changes nothing.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/qctl.sh"
make_own_instance --local home.example --user alice
echo 3600 > "$POSTERN_HOME/control/retryfirst"
make_deliverer
start_send
queued 4711 bob@far.example carol@near.example dave@far.example
queued 4712 bob@far.example
wait_for 30 tried_times 4711 1
wait_for 30 tried_times 4712 1

# Without a selector nothing is ordered.
qctl remove; expect_equal $? 100 "no selector"
expect_in "$T/qctl.err" '\-\-all'
qctl; expect_equal $? 100 "no verb"
qctl sing --all; expect_equal $? 100 "no such verb"
qctl hold release --all; expect_equal $? 100 "two verbs"
qctl reroute --all; expect_equal $? 100 "no host"
qctl hold --mid x; expect_equal $? 100 "no mid"
qctl hold --older soon; expect_equal $? 100 "no age"
qctl hold --mid; expect_equal $? 100 "no value"

# A dry run says it and does nothing.
must_qctl --dry-run remove --all
expect_equal "$(grep -c '^would remove' "$T/qctl.out")" 4 "recipients of the dry run"
expect_not_in <(cat "$POSTERN_HOME"/queue/defer/*/*) '^o '
# Nothing matches: said, and no failure.
must_qctl hold --site nowhere.example
expect_equal "$(cat "$T/qctl.out")" "nothing to hold"
must_qctl hold --site far.example --older 1d
expect_equal "$(cat "$T/qctl.out")" "nothing to hold"

# hold by site: two of three recipients. Twice is once.
must_qctl hold --mid 4711 --site FAR.example
expect_equal "$(cat "$T/qctl.out")" "$(printf 'hold\t4711\t0\t<bob@far.example>\nhold\t4711\t2\t<dave@far.example>\n2 recipients of 1 messages')"
wait_for 30 grep -q '^Info: MID 4711 RID 2 held by order of ' "$T/send.log"
expect_in <("$B/postern-qread") $'^4711\t.*\tH <bob@far.example>\tP <carol@near.example>\tH <dave@far.example>$'
must_qctl hold --mid 4711 --site far.example
expect_equal "$(cat "$T/qctl.out")" "nothing to hold"

# flush: what is pending is tried, what is held is not.
echo 'rtaken' > "$T/verdict"
must_qctl flush --mid 4711
wait_for 30 delivered_to "near.example - carol@near.example"
wait_for 30 qread_has $'^4711\t.*\tH <bob@far.example>\tD <carol@near.example>\tH <dave@far.example>$'
expect_equal "$(grep -c bob "$T/deliveries")" 2 "tries of bob before any release: one a message"
must_qctl flush --mid 4711
expect_equal "$(cat "$T/qctl.out")" "nothing to flush"

# reroute by recipient, then release: it goes the other way, at once.
must_qctl reroute 192.0.2.7:2525 --recipient dave@far.example
must_qctl reroute 192.0.2.7:2525 --recipient dave@far.example
expect_equal "$(cat "$T/qctl.out")" "nothing to reroute"
must_qctl release --recipient @far.example
expect_equal "$(grep -c '^release' "$T/qctl.out")" 2 "released"
wait_for 30 delivered_to "far.example 192.0.2.7:2525 dave@far.example"
wait_for 30 delivered_to "far.example - bob@far.example"
wait_for 30 grep -q 'Message finished MID 4711 done' "$T/send.log"

# remove by sender: no report. bounce by age: a report to the sender, who is local.
must_qctl remove --sender alice@home.example --mid 4712
wait_for 30 queue_empty
expect_in "$T/send.log" '^Info: MID 4712 RID 0 removed by order of '
echo 'snot now' > "$T/verdict"
queued 4713 bob@far.example erin@far.example
wait_for 30 tried_times 4713 1
must_qctl bounce --newer 1h --recipient bob@far.example
wait_for 30 grep -q 'was generated for bounce of MID 4713' "$T/send.log"
wait_for 30 qread_has $'^4713\t.*\tX <bob@far.example>\tP <erin@far.example>$'
expect_equal "$(tries_of 4713)" 1 "the other recipient was not tried for that"
reported() { cat "$T"/local.* 2> /dev/null | sees '^Subject: Undelivered'; }
wait_for 30 reported
expect_in <(cat "$T"/local.*) '^5\.0\.0 bounced by the operator$'
expect_in <(cat "$T"/local.*) '^Final-Recipient: rfc822; bob@far.example$'
expect_not_in <(cat "$T"/local.*) 'erin@far'
must_qctl bounce --newer 1h --recipient bob@far.example
expect_equal "$(cat "$T/qctl.out")" "nothing to bounce"
must_qctl remove --all
wait_for 30 queue_empty
must_qctl flush --all
expect_equal "$(cat "$T/qctl.out")" "nothing to flush"
expect_equal "$(grep -c 'was generated for bounce' "$T/send.log")" 1 "reports"
expect_equal "$(spool_files "" | grep -v /lock)" "" "files at the end"
