#!/bin/bash
# What could not be delivered within control/queuelifetime goes back to its sender with what was last said.
. "$(dirname "$0")/../lib.sh"
SINK=$(free_port)
make_instance --local home.example --user alice --route "far.example:127.0.0.2:$SINK"
echo 1 > "$POSTERN_HOME/control/retryfirst"
echo 2 > "$POSTERN_HOME/control/queuelifetime"
start_sink "$SINK" "dot=451 4.2.0 the disk is tired"
run_instance
mail one | MID=4711 queue_message alice@home.example bob@far.example || fail "queue"
mail two | MID=4712 queue_message "" bob@far.example || fail "queue"
wait_for 30 queue_empty
expect_in <(log_of send) '^Info: Delayed: 4711:0 '
expect_in <(log_of send) '^Info: Bounced: 4711:0 From:<alice@home.example> To:<bob@far.example> Reason: "5\.2\.0 - Unknown mailbox error" Response: ".*the disk is tired.*too long'
expect_in <(log_of send) '^Info: Bounced: 4712:0 From:<> '
expect_equal "$(mailbox alice | wc -l)" 1 "reports"
expect_in "$(mailbox alice)" '^Status: 5\.2\.0$'
expect_in "$(mailbox alice)" '451 4\.2\.0 the disk is tired'
expect_equal "$(spool_files "" | grep -v /lock)" "" "files at the end"
