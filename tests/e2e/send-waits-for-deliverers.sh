#!/bin/bash
# Any service down: mail that was taken waits in the queue, and goes when the service is back (svc -d of none of them loses mail).
. "$(dirname "$0")/../lib.sh"
SINK=$(free_port)
make_instance --local home.example --user alice --route "far.example:127.0.0.2:$SINK"
echo 1 > "$POSTERN_HOME/control/retryfirst"
run_instance
start_sink "$SINK"

stop_service lspawn
stop_service rspawn
mail one | MID=4711 queue_message alice@home.example alice@home.example bob@far.example || fail "queue"
wait_for 30 logged send '^Warning: postern-send: unable to reach lspawn, trying on: '
wait_for 30 logged send '^Warning: postern-send: unable to reach rspawn, trying on: '
expect_in <("$B/postern-qread") $'^4711\tcur\t.*\tP <alice@home.example>\tP <bob@far.example>$'
start_service lspawn
delivered() { [ "$(mailbox alice | wc -l)" = "$1" ]; }
wait_for 30 delivered 1
start_service rspawn
wait_for 30 queue_empty
expect_equal "$(grep -c '^Subject: one' "$T/sink.messages")" 1 "messages at the sink"

stop_service send
mail two | MID=4712 queue_message alice@home.example alice@home.example || fail "queue, without send"
expect_in <("$B/postern-qread") $'^4712\tnew\t'
start_service send
wait_for 30 delivered 2
wait_for 30 queue_empty

# Killed in the middle of its work: the state of each recipient stands in the queue.
kill -9 "$(service_pid send)"
mail three | MID=4713 queue_message alice@home.example alice@home.example || fail "queue, send killed"
wait_for 30 delivered 3
# Two of it on one queue would deliver twice.
POSTERN_HOME=$POSTERN_HOME timeout 5 "$B/postern-send" > "$T/second" 2>&1; expect_equal $? 111 "a second postern-send"
expect_in "$T/second" 'another postern-send works this queue|Permission denied'
expect_equal "$(mailbox alice | wc -l)" 3 "messages at the end"
