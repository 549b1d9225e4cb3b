#!/bin/bash
# Servers that break the protocol, say too much or nothing: a temporary failure within the bounds, never a crash or a
# forged line.
. "$(dirname "$0")/../lib.sh"
make_home
echo 127.0.0.2 > "$POSTERN_HOME/control/notipme"
PORT=$(free_port)
echo "$PORT" > "$POSTERN_HOME/control/remoteport"
echo 1 > "$POSTERN_HOME/control/timeoutremote"
echo 2 > "$POSTERN_HOME/control/timeoutconnect"
printf 'Subject: x\n\nbody\n' > "$T/message"
SERVER=
server() {
  [ -n "$SERVER" ] && { kill "$SERVER"; wait "$SERVER" 2>/dev/null; }
  : > "$T/sink"
  start server "$TESTS/smtp-server.py" 127.0.0.2 "$PORT" "$T/sink" "$@"
  SERVER=$LAST_PID
  wait_for 5 grep -q listening "$T/sink"
}
deliver() { "$B/postern-remote" '[127.0.0.2]' s@y.test a@x.test < "$T/message" 2>> "$T/log" | tr '\0' '\n' | head -n 1; }
W="127.0.0.2[127.0.0.2]:$PORT"

server "greeting=hello there"
expect_equal "$(deliver)" "s4.5.0 read the greeting from $W: malformed reply \"hello there\": no reply code" "no code"
server "greeting=$(printf '220-x\n221 y')"
expect_equal "$(deliver)" "s4.5.0 read the greeting from $W: malformed reply \"221 y\": another code than the line before" "two codes"
server "ehlo=$(for _ in $(seq 200); do echo 250-x; done)"
expect_equal "$(deliver)" "s4.5.0 read the reply to EHLO from $W: malformed reply \"250-x\": too many lines" "endless reply"
server "mail=250 $(head -c 5000 /dev/zero | tr '\0' x)"
expect_equal "$(deliver | sed 's/x\{70,\}/X/')" "s4.5.0 read the reply to MAIL from $W: malformed reply \"250 X...\": line too long" "endless line"
server "greeting=521 go away"
expect_equal "$(deliver)" "h$W said: 521 5.0.0 go away" "a host that takes no mail"
server "greeting=450 4.3.2 not now"
expect_equal "$(deliver)" "s$W said: 450 4.3.2 not now" "greeting 450"
server "mail=250"
expect_equal "$(deliver)" "r$W said: 250 2.0.0 taken" "a bare code"
server "dot=350 3.0.0 what"
expect_equal "$(deliver)" "s$W said: 350 3.0.0 what" "a strange class"
server "data=250 2.0.0 already"
expect_equal "$(deliver)" "s$W said: 250 2.0.0 already" "no 354"
server "dot=$(printf '550 5.0.0 a\001b\033[2Jc\344\\')"
expect_equal "$(deliver)" "h$W said: 550 5.0.0 a\\x01b\\x1b[2Jc\\xe4\\x5c" "control characters"
# Silence: at the greeting, and at the end.
kill "$SERVER"; wait "$SERVER" 2>/dev/null; SERVER=
start silent python3 -c '
import socket, sys
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.2", int(sys.argv[1]))); s.listen(5); print("listening", flush=True)
kept = [s.accept() for _ in range(3)]' "$PORT"
wait_for 5 grep -q listening "$T/silent.log"
expect_equal "$(deliver)" "s4.4.2 read the greeting from $W: Connection timed out" "silence"
expect_not_in "$T/log" '^(Critical|.*signal)'
