#!/bin/bash
# once: the users do not matter to it
# A worker keeps the SMTP connection for the next job of the same next hop: no RSET, no second connection, no second lookup;
# QUIT for another next hop, after idling, and when send closes; a connection that went stale is opened again silently.
. "$(dirname "$0")/../lib.sh"
make_home
printf '127.0.0.%s\n' 2 3 4 > "$POSTERN_HOME/control/notipme"
PORT=$(free_port)
printf 'x.test MX 10 mx.x.test\nmx.x.test A 127.0.0.2\ny.test A 127.0.0.3\nz.test A 127.0.0.4\n' > "$T/dns"
echo "$PORT" > "$POSTERN_HOME/control/remoteport"
printf '%s\n' "postern-dnsq --dns $T/dns" > "$POSTERN_HOME/control/dnsq"
start x "$TESTS/smtp-server.py" 127.0.0.2 "$PORT" "$T/x" "rcpt:bad@x.test=550 5.1.1 unknown"
start y "$TESTS/smtp-server.py" 127.0.0.3 "$PORT" "$T/y" "dot2=250 2.0.0 the last|CLOSE"
start z "$TESTS/smtp-server.py" 127.0.0.4 "$PORT" "$T/z" "mail2=421 4.3.2 enough|CLOSE"
for name in x y z; do wait_for 30 grep -q listening "$T/$name"; done
start rspawn "$B/postern-bind" rspawn root "$B/postern-rspawn" --serve --workers 2
RSPAWN=$LAST_PID
wait_for 30 test -S "$POSTERN_HOME/run/rspawn"
printf 'Subject: x\n\nbody\n' > "$T/message"
row() { python3 "$TESTS/job_row.py" rspawn "$T/message" POSTERN_MID=12345 "POSTERN_RIDS=3 5" "$@"; }

# Five messages, one of them refused in the middle: one connection.
row "x.test s@y.test a@x.test b@x.test" "x.test s@y.test a@x.test bad@x.test" "x.test s@y.test bad@x.test bad@x.test" \
  "X.test  a@x.test b@x.test" "x.test s@y.test a@x.test b@x.test" > "$T/out"
expect_equal "$(cut -d' ' -f1 "$T/out" | tr '\n' ' ')" "0 0 0 0 0 " "exit codes"
expect_equal "$(grep -o '|[KZD]' "$T/out" | tr -d '\n')" "|K|K|D|K|K" "reports"
wait_for 30 grep -q '^end' "$T/x"
expect_equal "$(grep -c '^connect' "$T/x")" 1 "connections"
expect_equal "$(grep -c '^message' "$T/x")" 5 "messages, the one to nobody included"
expect_not_in "$T/x" RSET
expect_in "$T/x" '^< MAIL FROM:<> '
expect_in "$T/x" '^< QUIT'
expect_in "$T/rspawn.log" '^Info: Delivery start DCID [0-9]+ MID 12345 to RID \[3, 5\]$'
expect_in "$T/rspawn.log" '^Info: Message done DCID [0-9]+ MID 12345 to RID \[3\]$'
expect_equal "$(grep -c 'New SMTP' "$T/rspawn.log")" 1 "connections in the log"

# Another next hop ends it; coming back is a new one. Then 5 s of silence end that.
: > "$T/x"
row "x.test s@y.test a@x.test b@x.test" "z.test s@y.test a@z.test b@z.test" "until:$T/x:QUIT" "x.test s@y.test a@x.test b@x.test" \
  "until:$T/z:QUIT" > "$T/out"
expect_equal "$(grep -c '|K' "$T/out")" 3 "deliveries"
expect_equal "$(grep -c '^connect' "$T/x")" 2 "connections"
: > "$T/x"
row "x.test s@y.test a@x.test b@x.test" "until:$T/x:QUIT" "x.test s@y.test a@x.test b@x.test" > "$T/out"
expect_equal "$(grep -c '|K' "$T/out")" 2 "deliveries"
expect_equal "$(grep -c '^connect' "$T/x")" 2 "connections"

# Stale: the server closed behind our back, or says 421 to the next MAIL.
row "y.test s@y.test a@y.test b@y.test" "y.test s@y.test a@y.test b@y.test" "until:$T/y:end" "y.test s@y.test a@y.test b@y.test" > "$T/out"
expect_equal "$(grep -c '|K' "$T/out")" 3 "deliveries after the server closed"
expect_equal "$(grep -c '^connect' "$T/y")" 2 "connections"
: > "$T/z"
row "z.test s@y.test a@z.test b@z.test" "z.test s@y.test a@z.test b@z.test" > "$T/out"
expect_equal "$(grep -c '|K' "$T/out")" 2 "deliveries after 421"
expect_equal "$(grep -c '^connect' "$T/z")" 2 "connections"

# Fifty messages, then a fresh connection.
: > "$T/x"
jobs=()
for _ in $(seq 51); do jobs+=("x.test s@y.test a@x.test b@x.test"); done
row "${jobs[@]}" > "$T/out"
expect_equal "$(grep -c '|K' "$T/out")" 51 "deliveries"
expect_equal "$(grep -c '^connect' "$T/x")" 2 "connections for 51 messages"

# What is no job; and SIGTERM while a client keeps its connection open.
expect_equal "$(row "x.test")" "100 "
start held python3 -c '
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect(os.environ["POSTERN_HOME"] + "/run/rspawn"); print("connected", flush=True)
sys.exit(s.recv(1) != b"")'
wait_for 30 grep -q connected "$T/held.log"
kill "$RSPAWN"
ended() { ! kill -0 "$RSPAWN"; }
wait_for 30 ended
