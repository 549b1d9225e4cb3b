#!/bin/bash
# once: the users do not matter to it
# R24: SMTP call-ahead: the inner server's word is what the sender reads, and it sees RCPT and QUIT and no DATA; answers are kept; one
# connection serves several; temporary and other failures end as the profile says, within its time; servers in turn and by route.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/recipients.sh"
need tcpserver python3
make_own_instance --local example.org
C=$POSTERN_HOME/control
INNER=$(free_port)
echo 'DEFAULT call_ahead=inner' > "$C/recipientchecks"
profile() { echo "inner $*" > "$C/callahead"; restart_callahead; }
restart_callahead() {
  [ -n "${CALLAHEAD:-}" ] && { kill "$CALLAHEAD"; wait "$CALLAHEAD" 2> /dev/null; }
  start callahead "$B/postern-bind" callahead "$(id -un)" "$B/postern-callahead" --serve --workers "${WORKERS:-4}"
  CALLAHEAD=$LAST_PID
  wait_for 30 test -S "$POSTERN_HOME/run/callahead"
}
make_queue_stub
start_smtpd smtpd
rcpt() { python3 "$TESTS/rcpt.py" "$PORT" "$@"; }
codes() { rcpt "$@" | cut -d' ' -f1 | tr '\n' ' '; }
count() { grep -c -- "$1" "$T/sink"; }
start_sink "$INNER" "rcpt:gone@example.org=550-5.1.1 <gone> moved\n550 5.1.1 away" "rcpt:soon@example.org=450 4.2.1 not now" \
  "rcpt:bye@example.org=421 4.3.2 closing|CLOSE" "rcpt:mute@example.org=STALL"

# One worker: with several the one that has answered may not wait for the next question yet when another takes it, over a connection of its own.
WORKERS=1 profile "servers=127.0.0.2:$INNER mail_from=probe@example.org timeout=5 failure=accept"
: > "$T/sink"
expect_equal "$(rcpt ann@example.org gone@example.org soon@example.org gone@example.org a@elsewhere.example)" \
"250 2.1.5 recipient ok
550 5.1.1 <gone> moved away
450 4.2.1 not now
550 5.1.1 <gone> moved away
550 5.7.1 relaying denied: that domain is not ours"
wait_for 30 grep -q '^< QUIT' "$T/sink"
expect_equal "$(count '^< RCPT')" 3 "RCPTs: what is known is not asked again"
expect_equal "$(count '^< MAIL FROM:<probe@example.org>')" 1 "one connection for all, from that sender: $(cat "$T/sink")"
expect_not_in "$T/sink" '^< (DATA|BDAT)'
expect_in "$T/smtpd.log" 'To: <gone@example.org> decided by call-ahead: said by 127.0.0.2'
expect_in "$T/callahead.log" 'Call-ahead profile inner To: <gone@example.org> 550 5.1.1'
# Nobody says anything of the recipient: as `failure` has it, within the time of the profile.
expect_equal "$(codes bye@example.org)" "250 "
STARTED_AT=$SECONDS
expect_equal "$(codes mute@example.org)" "250 "
[ $((SECONDS - STARTED_AT)) -le 25 ] || fail "it took $((SECONDS - STARTED_AT)) s"
expect_in "$T/callahead.log" 'mute@example.org.*accepted in spite of it: read the reply to RCPT'

profile "servers=127.0.0.2:$INNER timeout=2 failure=refuse temporary_failure=accept cache_size=0 max_recipients=1"
: > "$T/sink"
expect_equal "$(codes soon@example.org bye@example.org gone@example.org gone@example.org)" "250 550 550 550 "
expect_equal "$(count '^< MAIL FROM:<>')" 4 "a connection for each recipient, the null sender"
expect_equal "$(count '^< RCPT TO:<gone')" 2 "nothing is kept"

# In turn, and on to the next where one is away; the delivery host by control/smtproutes.
profile "servers=127.0.0.2:1,127.0.0.2:$INNER cache_ttl=0 max_recipients=1"
expect_equal "$(codes a@example.org b@example.org gone@example.org)" "250 250 550 "
echo "example.org:127.0.0.2:$INNER" > "$C/smtproutes"
profile "servers=delivery-host"
expect_equal "$(codes gone@example.org c@example.org)" "550 250 "
expect_equal "$("$B/postern-rcpt" test gone@example.org | grep ^call-ahead | sed "s, [0-9]* s more, N s more,")" \
  "call-ahead: 550 5.1.1 <gone> moved away (known for N s more)"
echo "example.org:/dev/null" > "$C/smtproutes"
expect_equal "$("$B/postern-callahead" check inner gone@example.org 2> /dev/null | tr '\n' '|')" "250 2.1.5 recipient ok|its route is /dev/null|"
rm "$C/smtproutes"

# One connection at a time: who waits gets the one that is not needed any more. The server takes its time to greet, so that without
# the limit all would connect before any of them asks.
stop_sink
start_sink "$INNER" "greeting=220 sink.test|DRIP"
profile "servers=127.0.0.2:$INNER max_connections=1 cache_size=0"
: > "$T/sink"
for i in 1 2 3 4; do codes "u$i@example.org" > "$T/code.$i" & WAITS+=($!); done
wait "${WAITS[@]}"
expect_equal "$(cat "$T"/code.?)" "250 250 250 250 "
python3 - "$T/sink" <<'P' || fail "more than one connection at a time: $(cat "$T/sink")"
import sys
lines = [line.split(" ")[1] if line.startswith("<") else line.strip() for line in open(sys.argv[1])]
told = "".join({"connect": "c", "RCPT": "r"}.get(word, "") for word in lines)
sys.exit("cc" in told or told.count("r") != 4)
P

echo 'DEFAULT call_ahead=missing' > "$C/recipientchecks"
expect_equal "$(codes a@example.org)" "451 "
expect_in <("$B/postern-showctl") 'problem: .*control/callahead has no profile missing'
stop_sink
echo 'DEFAULT call_ahead=inner' > "$C/recipientchecks"
expect_equal "$(codes a@example.org)" "451 "
