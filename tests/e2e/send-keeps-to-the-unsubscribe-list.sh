#!/bin/bash
# once: the users do not matter to it
# control/globalunsubscribe is looked up just before each attempt, for all that is sent: by address, domain, local-part and the next
# hop's address; changes count at once, for mail that waits too; dropped or bounced, logged, and counted over restarts.
. "$(dirname "$0")/../lib.sh"
SINK=$(free_port)
make_own_instance --local home.example --user alice
: > "$T/log"
for domain in far one.two three; do echo "$domain.example:127.0.0.2:$SINK"; done > "$POSTERN_HOME/control/smtproutes"
start_sink "$SINK"
start rspawn "$B/postern-bind" rspawn "$(id -un)" "$B/postern-rspawn" --serve --workers 3
start lspawn "$B/postern-serve" --workers 2 run/lspawn "$TESTS/stub_delivery.sh" "$T" local
touch "$T/jobs"
wait_for 30 test -S "$POSTERN_HOME/run/rspawn"
start_send
list() { printf '%s\n' "$@" > "$POSTERN_HOME/control/new.list"; mv "$POSTERN_HOME/control/new.list" "$POSTERN_HOME/control/globalunsubscribe"; }
mail one > "$T/message"
sent_to() { sed -n 's/^< RCPT TO:<\([^>]*\)>.*/\1/p' "$T/sink" | sort | paste -sd' '; }

{ seq -f 'nobody%g@nowhere.example' 20000; printf '%s\n' 'Bob@far.example' '@.two.example' '@three.example' 'noreply@' 'what is this'; } \
  > "$POSTERN_HOME/control/globalunsubscribe"
MID=81 queue_message keep@home.example bob@far.example ann@far.example x@one.two.example y@three.example noreply@far.example \
  noreply@home.example rex@home.example < "$T/message" 2> /dev/null || fail "queue"
wait_for 30 queue_empty
expect_equal "$(sent_to)" "ann@far.example" "who was sent to"
expect_equal "$(cut -d' ' -f1,3 "$T/jobs")" "local rex@home.example" "who was delivered to here"
diff <(sed -n 's/^Info: MID 81 RID \(.*\), GUS [1-5]$/\1/p' "$T/send.log") - << 'L' || fail "the log"
[0] To: <bob@far.example> dropped by global unsubscribe, entry bob@far.example
[2] To: <x@one.two.example> dropped by global unsubscribe, entry @.two.example
[3] To: <y@three.example> dropped by global unsubscribe, entry @three.example
[4] To: <noreply@far.example> dropped by global unsubscribe, entry noreply@
[5] To: <noreply@home.example> dropped by global unsubscribe, entry noreply@
L
expect_in "$T/send.log" 'unable to read control/globalunsubscribe: line 20005: "what is this" is none of'
expect_equal "$(cat "$POSTERN_HOME/queue/unsubscribed")" 5 "GUS"
expect_equal "$(kept)" "" "nobody is told of what was dropped"

# Mail that waits: on the list since its last try. Bounced this time.
stop_sink
MID=82 queue_message keep@home.example dan@far.example < "$T/message" 2> /dev/null || fail "queue"
wait_for 30 grep -q 'Delayed: 82:0' "$T/send.log"
list dan@far.example
echo bounce > "$POSTERN_HOME/control/globalunsubscribeaction"
kill -HUP "$SEND_PID"
start_sink "$SINK"
kill -ALRM "$SEND_PID"
wait_for 30 grep -q 'MID 82 RID \[0\] To: <dan@far.example> bounced by global unsubscribe' "$T/send.log"
wait_for 30 queue_empty
expect_in "$T/send.log" 'Bounced: 82:0 .*Reason: "5\.7\.1 - '
expect_equal "$("$TESTS/dsn.py" "$(kept)" | paste -sd,)" "to keep@home.example,envid ,returned headers,dan@far.example failed 5.7.1" "DSN"
rm "$(kept)"

# The next hop's address: its host hears nothing. Dropped again, over a restart.
stop_send
rm "$POSTERN_HOME/control/globalunsubscribeaction"
list 127.0.0.2
: > "$T/sink"
start_send
MID=83 queue_message keep@home.example ann@far.example eve@three.example < "$T/message" 2> /dev/null || fail "queue"
wait_for 30 queue_empty
expect_equal "$(grep -c connect "$T/sink")" 0 "connections"
expect_in "$T/send.log" 'MID 83 RID \[1\] To: <eve@three\.example> dropped by global unsubscribe, entry 127\.0\.0\.2, GUS [78]'
expect_equal "$("$B/postern-qstat" | grep -c '^recipients on the global unsubscribe list: 8$')" 1 "qstat"

# On the list since its job was made, which waits for its turn behind another one.
list nobody@nowhere.example
stop_send
echo 1 > "$POSTERN_HOME/control/concurrencyremote"
stop_sink
start slow "$TESTS/smtp-server.py" 127.0.0.2 "$SINK" "$T/slow" greeting=STALL
SLOW=$LAST_PID
wait_for 30 grep -q listening "$T/slow"
start_send
MID=85 queue_message keep@home.example ann@far.example < "$T/message" 2> /dev/null || fail "queue"
wait_for 30 grep -q connect "$T/slow"
MID=86 queue_message keep@home.example eve@three.example < "$T/message" 2> /dev/null || fail "queue"
is_open() { ls -l "/proc/$SEND_PID/fd" | grep -c memfd: | grep -qx 2; }
wait_for 30 is_open
list eve@three.example
kill "$SLOW"
wait_for 30 grep -q 'MID 86 RID \[0\] To: <eve@three.example> dropped by global unsubscribe' "$T/send.log"
expect_not_in "$T/slow" 'RCPT'
stop_send
rm "$POSTERN_HOME/control/concurrencyremote"
start_sink "$SINK"
start_send
"$B/postern-qctl" flush --mid 85 > "$T/flushed" || fail "flush"
list nobody@nowhere.example
MID=84 queue_message keep@home.example ann@far.example < "$T/message" 2> /dev/null || fail "queue"
wait_for 30 queue_empty
expect_in "$T/sink" 'RCPT TO:<ann@far\.example>'
exit 0
