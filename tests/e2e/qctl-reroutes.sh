#!/bin/bash
# reroute, through rspawn to servers: the message leaves the way of control/smtproutes, the others keep it; with "-" it
# comes back to it; and a route that cannot be reached defers.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/qctl.sh"
A=$(free_port)
make_instance --local home.example --user alice --route "far.example:127.0.0.2:$A"
echo 3600 > "$POSTERN_HOME/control/retryfirst"
start_sink "$A" "rcpt=451 4.7.1 not now"
C=$(free_port)
start other python3 "$TESTS/smtp-server.py" 127.0.0.3 "$C" "$T/other"
wait_for 30 listening "$C" 127.0.0.3
run_instance
for mid in 4711 4712; do mail m$mid | MID=$mid queue_message alice@home.example bob@far.example || fail "queue"; done
mail m4713 | MID=4713 queue_message alice@home.example carol@far.example alice@home.example || fail "queue"
waits() { logged send "^Info: Delayed: $1:0 .*4\.7\.1 not now"; }
for mid in 4711 4712 4713; do wait_for 30 waits $mid; done
must_qctl reroute "127.0.0.3:$C" --mid 4711
must_qctl reroute "127.0.0.9:1" --mid 4712
must_qctl flush --all
wait_for 30 logged send '^Info: Message finished MID 4711 done'
expect_equal "$(grep -c '^Subject: m4711' "$T/other.messages")" 1 "messages at the other host"
# The envelope is as it was.
expect_in "$T/other" '^< RCPT TO:<bob@far.example>'
wait_for 30 logged send '^Info: Delayed: 4712:0 .*127\.0\.0\.9'
must_qctl reroute - --mid 4712
stop_sink
start_sink "$A"
must_qctl flush --all
wait_for 30 queue_empty
expect_equal "$(grep -c '^Subject: m471[23]' "$T/sink.messages")" 2 "messages at the first host"
expect_equal "$(grep -c '^Subject: ' "$T/other.messages")" 1 "messages at the other host at the end"
expect_equal "$(mailbox alice | wc -l)" 1 "mail for alice"
