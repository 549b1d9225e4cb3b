#!/bin/bash
# once: the users do not matter to it
# Servers that break the protocol, say too much or nothing: a temporary failure within the bounds, never a crash or a
# forged line.
. "$(dirname "$0")/../lib.sh"
make_home
echo 127.0.0.2 > "$POSTERN_HOME/control/notipme"
PORT=$(free_port)
echo "$PORT" > "$POSTERN_HOME/control/remoteport"
printf 'Subject: x\n\nbody\n' > "$T/message"
SERVER=
server() {
  [ -n "$SERVER" ] && { kill "$SERVER"; wait "$SERVER" 2>/dev/null; }
  : > "$T/sink"
  start server "$TESTS/smtp-server.py" 127.0.0.2 "$PORT" "$T/sink" "$@"
  SERVER=$LAST_PID
  wait_for 30 grep -q listening "$T/sink"
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
# Servers that close for EHLO, or refuse it and close for HELO too: a new connection begins with HELO.
server "ehlo=CLOSE"
expect_equal "$(deliver)" "r$W said: 250 2.0.0 taken" "EHLO closes"
expect_equal "$(grep -cE '^< (EHLO|HELO)' "$T/sink")" 2 "EHLO, then HELO"
server "ehlo=500 5.5.1 what?|CLOSE"
expect_equal "$(deliver)" "r$W said: 250 2.0.0 taken" "EHLO refused and closed"
server "ehlo=CLOSE" "helo=CLOSE"
expect_equal "$(deliver)" "s4.4.2 read the reply to EHLO from $W: the connection was closed" "HELO closes"
expect_equal "$(grep -c '^connect' "$T/sink")" 2 "connections"
server "ehlo=500 what?" "helo=550 5.7.1 not you"
expect_equal "$(deliver)" "s$W said: 550 5.7.1 not you" "HELO refused"
server "ehlo=451 4.3.0 later"
expect_equal "$(deliver)" "s$W said: 451 4.3.0 later" "4yz to EHLO"
expect_not_in "$T/sink" HELO
server "ehlo=521 5.3.2 no mail here"
expect_equal "$(deliver)" "h$W said: 521 5.3.2 no mail here" "521 to EHLO"
# Greetings.
for greeting in "554 5.7.1 no" "451 4.3.0 busy" "421 4.3.2 full"; do
  server "greeting=$greeting"
  expect_equal "$(deliver)" "s$W said: $greeting" "greeting"
  expect_not_in "$T/sink" EHLO
done
server "greeting=220-hello\\n220-and welcome\\n220 now"
expect_equal "$(deliver)" "r$W said: 250 2.0.0 taken" "a long greeting"
server "greeting=CLOSE"
expect_equal "$(deliver)" "s4.4.2 read the greeting from $W: the connection was closed" "no greeting"
server "greeting=220 hi\\n250 early"
expect_equal "$(deliver | cut -c1)" "s" "a reply before its command"
expect_not_in "$T/sink" '^message'
# Replies: bytes that are none, a line end without CR, more than was asked, before the message has ended.
server "rcpt=550 5.1.1 a\\0b"
expect_equal "$(deliver)" "h$W said: 550 5.1.1 a\\x00b" "NUL"
server "mail=250-x\\n250"
expect_equal "$(deliver)" "r$W said: 250 2.0.0 taken" "no text"
server "mail=250x"
expect_equal "$(deliver)" "s4.5.0 read the reply to MAIL from $W: malformed reply \"250x\": no blank behind the code" "no blank"
server "mail=999 x"
expect_equal "$(deliver | cut -c1-6)" "s4.5.0" "no such code"
server "data=354 go\\n250 2.0.0 taken"
expect_equal "$(deliver)" "s4.5.0 $W replied 250 before the end of the message" "a yes before the end"
expect_not_in "$T/sink" '^message'
server "data=354 go\\n554 5.7.1 no such talk"
expect_equal "$(deliver)" "h$W said: 554 5.7.1 no such talk" "a no before the end"
expect_not_in "$T/sink" '^message'
# Refused in the middle of a large message; the server reads on, and then closes.
cp "$T/message" "$T/small"
{ printf 'Subject: x\n\n'; head -c 20000000 /dev/zero | tr '\0' 'x' | fold -w 900; } > "$T/message"
cat > "$T/middle.py" <<'P'
import socket, sys
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.2", int(sys.argv[1]))); s.listen(5); print("listening", flush=True)
connection = s.accept()[0]
file = connection.makefile("rb")
connection.sendall(b"220 hi\r\n")
while line := file.readline():
    if line.startswith(b"DATA"):
        connection.sendall(b"354 go\r\n")
        file.read(1000000)
        connection.sendall(b"552 5.3.4 too long for me\r\n")
        while file.read1(1 << 16):
            pass
        break
    connection.sendall(b"250 ok\r\n")
P
kill "$SERVER"; wait "$SERVER" 2>/dev/null; SERVER=
start middle python3 "$T/middle.py" "$PORT"
wait_for 30 grep -q listening "$T/middle.log"
expect_equal "$(deliver)" "h$W said: 552 5.3.4 too long for me" "refused in the middle"
cp "$T/small" "$T/message"
server
# Silence: at the greeting.
echo 1 > "$POSTERN_HOME/control/timeoutremote"
kill "$SERVER"; wait "$SERVER" 2>/dev/null; SERVER=
start silent python3 -c '
import socket, sys
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.2", int(sys.argv[1]))); s.listen(5); print("listening", flush=True)
kept = [s.accept() for _ in range(3)]' "$PORT"
wait_for 30 grep -q listening "$T/silent.log"
expect_equal "$(deliver)" "s4.4.2 read the greeting from $W: Connection timed out" "silence"
expect_not_in "$T/log" '^(Critical|.*signal)'
