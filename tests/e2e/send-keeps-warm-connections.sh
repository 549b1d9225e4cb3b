#!/bin/bash
# once: the users do not matter to it
# A host that does not answer holds its own worker and nothing else: the messages to another one, one after the other, go over one
# SMTP connection, for longer than a job may wait for a worker.
. "$(dirname "$0")/../lib.sh"
make_own_instance --local home.example --user alice
PORT=$(free_port)
printf '127.0.0.%s\n' 2 3 > "$POSTERN_HOME/control/notipme"
printf 'fast.test A 127.0.0.2\nslow.test A 127.0.0.3\n' > "$T/dns"
echo "$PORT" > "$POSTERN_HOME/control/remoteport"
echo 'DEFAULT max_messages_per_connection=100000' > "$POSTERN_HOME/control/destinations"
printf '%s\n' "postern-dnsq --dns $T/dns" > "$POSTERN_HOME/control/dnsq"
start fast "$TESTS/smtp-server.py" 127.0.0.2 "$PORT" "$T/fast"
start slow "$TESTS/smtp-server.py" 127.0.0.3 "$PORT" "$T/slow" "greeting=STALL"
for name in fast slow; do wait_for 30 grep -q listening "$T/$name"; done
start rspawn "$B/postern-bind" rspawn root "$B/postern-rspawn" --serve --workers 4
wait_for 30 test -S "$POSTERN_HOME/run/rspawn"
start_send
deliver_one() {
  MID=$1 queue_message a@x.example b@fast.test < "$T/message" 2> /dev/null || fail "queue"
  wait_for 30 grep -q "^Info: Message finished MID $1 done" "$T/send.log"
}
mail one > "$T/message"
deliver_one 1001
MID=2001 queue_message a@x.example b@slow.test < "$T/message" 2> /dev/null || fail "queue"
wait_for 30 grep -q '^stall' "$T/slow"
end=$((SECONDS + 4)) mid=1001
while [ $SECONDS -lt $end ]; do deliver_one $((mid += 1)); done
[ $mid -gt 1010 ] || fail "only $mid messages went to the fast host"
expect_equal "$(grep -c '^connect' "$T/fast")" 1 "connections for $((mid - 1000)) messages"
