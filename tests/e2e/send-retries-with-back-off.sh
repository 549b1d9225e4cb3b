#!/bin/bash
# A host that refuses for now is tried again, from the third time on after twice the wait; when it accepts, the message goes, once. A restart of
# send in between forgets nothing.
. "$(dirname "$0")/../lib.sh"
SINK=$(free_port)
make_instance --local home.example --user alice --route "far.example:127.0.0.2:$SINK"
echo 1 > "$POSTERN_HOME/control/retryfirst"
run_instance
start_sink "$SINK" "rcpt:bob@far.example=451 4.7.1 not now"

mail one > "$T/message"
MID=4711 queue_message alice@home.example bob@far.example carol@far.example < "$T/message" || fail "queue"
wait_for 30 logged send '^Info: Delayed: 4711:0 From:<alice@home.example> To:<bob@far.example> Reason: "4\.7\.1 - Delivery not authorised" Response: "\(.451., \[.4\.7\.1 not now.\]\)" Host: 127\.0\.0\.2'
expect_in <("$B/postern-qread") $'^4711\tcur\t.*\tP <bob@far.example>\tD <carol@far.example>$'
tried() { [ "$("$B/postern-qread" | cut -f5)" -ge "$1" ]; }
wait_for 30 tried 4
# Waits of 1, 1, 2 and 4 seconds: after the fourth attempt the next is 4 seconds away.
left=$("$B/postern-qread" | cut -f6)
[ "$left" -ge 2 ] && [ "$left" -le 4 ] || fail "the next try is $left seconds away: $("$B/postern-qread")"
expect_in <("$B/postern-qstat") '^of these tried before: 1$'
tries=$("$B/postern-qread" | cut -f5)
svc -t "$POSTERN_HOME/service/send"
restarted() { [ "$(log_of send | grep -c .)" -ge 0 ] && [ -n "$(service_pid send)" ] && [ "$(service_pid send)" != "$old" ]; }
old=$(service_pid send)
stop_sink
start_sink "$SINK"
expect_equal "$("$B/postern-qread" | cut -f5)" "$tries" "the attempts are remembered"
wait_for 30 queue_empty
logged send '^Info: Message finished MID 4711 done$' || fail "no line at the end: $(log_of send)"
expect_equal "$(grep -c '^Subject: one' "$T/sink.messages")" 2 "messages at the sink: one for each recipient"
expect_equal "$(grep -c '< RCPT TO:<carol' "$T/sink")" 1 "the recipient that was done is not tried again"
expect_equal "$(spool_files cur)$(spool_files new)$(spool_files defer)" "" "files at the end"
