#!/bin/bash
# R06, R23, O18: over SMTP from several loopback addresses: messages per connection, connections at a time (also when a session is killed), recipients per
# hour over all connections of an address, harvesting; each with the policy's words; others are not touched; nothing is limited while rated is away.
. "$(dirname "$0")/../lib.sh"
[ -x "$B/postern-hat" ] || skip "there is no Host Access Table"
make_signatures
make_instance --local home.example --user alice --clamdb "$T/clamdb"
# Loopback is no relay client here.
echo ':allow' > "$POSTERN_HOME/control/tcp.smtp"
tcprules "$POSTERN_HOME/control/tcp.smtp.cdb" "$T/tcp.tmp" < "$POSTERN_HOME/control/tcp.smtp" || fail tcprules
chmod 644 "$POSTERN_HOME/control/tcp.smtp.cdb"
cat > "$POSTERN_HOME/control/policies" <<'D'
TIGHT ACCEPT max_messages_per_connection=10 max_connections=2 max_recipients_per_hour=30 max_invalid_recipients=3 recipient_rate="452 4.7.9 thirty are enough"
  message_limit="421 4.7.8 ten are enough"
OPEN ACCEPT max_connections=0 max_messages_per_connection=0 max_invalid_recipients=0
D
cat > "$POSTERN_HOME/control/hat" <<'D'
TIGHTLIST:
    127.0.0.2-5
    $TIGHT
ALL: $OPEN
D
"$B/postern-hat" compile > "$T/compile" 2>&1 || { cat "$T/compile"; fail "postern-hat compile"; }
run_instance
cat > "$T/client.py" <<'P'
import smtplib, sys
port, source, verb, number = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
def connect():
    return smtplib.SMTP("127.0.0.1", port, local_hostname="client.example", timeout=60, source_address=(source, 0))
last, good = (0, b""), 0
try:
    if verb == "connections":
        held = []
        for _ in range(number):
            held.append(connect()); good += 1
    else:
        client = connect(); client.ehlo()
        if verb == "recipients": client.mail("s@client.example")
        if verb == "invalid": client.mail("s@client.example")
        for i in range(number):
            if verb == "messages":
                last = client.mail("s@client.example")
                if last[0] == 250: client.rcpt("alice@home.example"); last = client.data("Subject: x\r\n\r\nx\r\n")
            if verb == "recipients": last = client.rcpt("alice@home.example")
            if verb == "invalid": last = client.rcpt("x%d@elsewhere.example" % i)
            if last[0] // 100 != (5 if verb == "invalid" else 2): break
            good += 1
except smtplib.SMTPConnectError as e: last = (e.smtp_code, e.smtp_error)
except smtplib.SMTPServerDisconnected: last = (0, b"gone")
print(good, last[0], last[1].decode())
if verb == "connections" and len(sys.argv) > 5:
    open(sys.argv[5], "w").close(); import signal; signal.pause()
P
client() { python3 "$T/client.py" "$PORT" "$@"; }

expect_equal "$(client 127.0.0.2 messages 12)" "10 421 4.7.8 ten are enough" "messages"
expect_equal "$(client 127.0.0.6 messages 12 | cut -d' ' -f1)" 12 "an address without limits"
expect_equal "$(client 127.0.0.3 recipients 20 | cut -d' ' -f1)" 20 "recipients"
expect_equal "$(client 127.0.0.3 recipients 20)" "10 452 4.7.9 thirty are enough" "recipients of another connection"
expect_equal "$(client 127.0.0.2 recipients 20 | cut -d' ' -f1)" 20 "another address"
wait_for 30 logged smtpd 'rate limit met: policy TIGHT: max_recipients_per_hour 30 of 127.0.0.3/32, which has 30'

expect_equal "$(client 127.0.0.4 invalid 9)" "3 421 4.7.1 too many invalid recipients from your address" "harvesting"
expect_equal "$(client 127.0.0.4 invalid 9)" "0 421 4.7.1 too many invalid recipients from your address" "harvesting again"
expect_equal "$(client 127.0.0.2 invalid 2 | cut -d' ' -f1)" 2 "another address"

start holder python3 "$T/client.py" "$PORT" 127.0.0.5 connections 2 "$T/held"
HOLDER=$LAST_PID
wait_for 30 test -e "$T/held"
expect_equal "$(client 127.0.0.5 connections 1)" "0 421 4.7.0 too many connections from your address" "the third connection"
# A session that is killed gives its place back, although its client holds on.
session=$(pgrep -n -P "$(service_pid smtpd)")
kill -9 "$session"
again() { client 127.0.0.5 connections 1 | sees '^1 '; }
wait_for 30 again
kill "$HOLDER"

stop_service rated
expect_equal "$(client 127.0.0.3 recipients 20 | cut -d' ' -f1)" 20 "rated is away"
expect_equal "$(client 127.0.0.4 connections 3 | cut -d' ' -f1)" 3 "rated is away"
wait_for 30 logged smtpd 'Warning: postern-smtpd: unable to ask rated; its limits do not hold meanwhile'
start_service rated
