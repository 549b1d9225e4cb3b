#!/bin/bash
# auth= of a route: PLAIN and LOGIN by the user and password of secrets/posternr/; over TLS, and not in clear unless the route says so; a wrong
# password, a server without AUTH, and a file that others can read put mail off, and no password stands in any log or report.
# once: the users do not matter to it
. "$(dirname "$0")/../lib.sh"
. "$TESTS/tls.sh"
make_home
mkdir -p "$POSTERN_HOME/secrets/posternr"
printf 'relay@home.example\nsesame: 1\n' > "$POSTERN_HOME/secrets/posternr/smarthost"
printf 'relay@home.example\nwrong\n' > "$POSTERN_HOME/secrets/posternr/wrong"
chmod 600 "$POSTERN_HOME"/secrets/posternr/*
cat > "$T/server.py" <<'PY'
# A smarthost that wants AUTH before MAIL, and STARTTLS before AUTH where it has a certificate:
# server.py ADDRESS PORT LOG MECHANISMS [CERTIFICATE]
import base64, socket, ssl, sys, threading
address, port, log, mechanisms = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
context = None
if len(sys.argv) > 5:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[5])
def note(text):
    with open(log, "a") as f: f.write(text + "\n")
def serve(c):
    f = c.makefile("rb"); known = False; plain = context is not None
    say = lambda text: c.sendall(text.encode() + b"\r\n")
    ask = lambda text: (say("334 " + base64.b64encode(text.encode()).decode()), base64.b64decode(f.readline()))[1]
    say("220 smart ESMTP")
    while line := f.readline():
        words = line.decode().split()
        verb = words[0].upper()
        if verb == "EHLO" and plain: say("250-smart\r\n250 STARTTLS")
        elif verb == "STARTTLS":
            say("220 go on"); c = context.wrap_socket(c, server_side=True); f = c.makefile("rb"); plain = False; note("TLS")
        elif verb == "EHLO": say("250-smart\r\n250-PIPELINING" + ("\r\n250 AUTH " + mechanisms if mechanisms else "\r\n250 HELP"))
        elif verb == "AUTH":
            if words[1] == "PLAIN": user, password = base64.b64decode(words[2], validate=True).split(b"\0")[1:]
            else: user = ask("Username:"); password = ask("Password:")
            known = (user, password) == (b"relay@home.example", b"sesame: 1")
            note("%s %s" % (words[1], known))
            say("235 2.7.0 welcome" if known else "535 5.7.8 no such user or password")
        elif verb == "QUIT": break
        elif verb == "MAIL": note("MAIL"); say("250 2.1.0 ok" if known else "530 5.7.0 authenticate first")
        elif verb == "DATA":
            if not known: say("503 5.5.1 no"); continue
            say("354 go on")
            while f.readline() != b".\r\n": pass
            say("250 2.0.0 taken")
        else: say("250 2.0.0 ok")
    c.close()
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind((address, port)); s.listen(50)
while True: threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()
PY
P=$(free_port)
n=2
for mechanisms in "PLAIN LOGIN" "CRAM-MD5 LOGIN" ""; do
  start "server$n" python3 "$T/server.py" 127.0.0.$n "$P" "$T/seen" "$mechanisms"
  wait_for 30 listening "$P" 127.0.0.$n
  n=$((n + 1))
done
printf 'Subject: x\n\nbody\n' > "$T/message"
# deliver HOST OPTIONS…: the report for one recipient
deliver() {
  : > "$T/seen"
  echo "x.test:$1:$P ${*:2}" > "$POSTERN_HOME/control/smtproutes"
  "$B/postern-remote" x.test s@y.test a@x.test < "$T/message" 2>> "$T/log" | tr '\0' '\n' | head -n 1 | tee -a "$T/reports"
}
seen() { tr '\n' ' ' < "$T/seen"; }
clear="auth-without-tls=yes"
expect_equal "$(deliver 127.0.0.2 auth=smarthost $clear)" "r127.0.0.2[127.0.0.2]:$P said: 250 2.0.0 taken"
expect_equal "$(seen)" "PLAIN True MAIL "
expect_equal "$(deliver 127.0.0.3 auth=smarthost $clear)" "r127.0.0.3[127.0.0.3]:$P said: 250 2.0.0 taken"
expect_equal "$(seen)" "LOGIN True MAIL "
# Over TLS to who has the certificate of that host; to any other where the route says so. What is offered in front of it does not count.
make_authority
make_certificate smart 30 127.0.0.5
make_certificate other 30 other.test
for row in 5:smart 6:other; do
  start "server${row%%:*}" python3 "$T/server.py" "127.0.0.${row%%:*}" "$P" "$T/seen" PLAIN "$T/${row#*:}.pem"
  wait_for 30 listening "$P" "127.0.0.${row%%:*}"
done
for level in "" tls=verify tls=encrypt; do
  expect_equal "$(deliver 127.0.0.5 auth=smarthost $level)" "r127.0.0.5[127.0.0.5]:$P said: 250 2.0.0 taken" "$level"
  expect_equal "$(seen)" "TLS PLAIN True MAIL "
done
expect_equal "$(deliver 127.0.0.6 auth=smarthost tls=encrypt)" "r127.0.0.6[127.0.0.6]:$P said: 250 2.0.0 taken"
for level in "" tls=verify; do
  expect_in <(deliver 127.0.0.6 auth=smarthost $level) '^s4\.7\.5 .*mismatch'
  expect_equal "$(seen)" "TLS " "no password: $level"
done
expect_in <(deliver 127.0.0.6 auth=smarthost tls=may) '^s4\.7\.0 no password is sent to .* without TLS to a server whose certificate fits'
expect_equal "$(seen)" "TLS " "no password: may"
# A level of the route goes before what control/destinations says.
expect_in <(deliver 127.0.0.5 auth=smarthost tls=off) '^s4\.7\.0 no password is sent to .* without TLS'
expect_in <(deliver 127.0.0.2 auth=smarthost tls=encrypt) '^s4\.7\.4 '
# Whatever goes wrong with it is ours to mend, and no reason to bounce.
expect_equal "$(deliver 127.0.0.2 auth=wrong $clear)" "s127.0.0.2[127.0.0.2]:$P said: 535 5.7.8 no such user or password"
expect_equal "$(seen)" "PLAIN False "
expect_equal "$(deliver 127.0.0.4 auth=smarthost $clear)" "s4.7.0 127.0.0.4[127.0.0.4]:$P offers neither AUTH PLAIN nor AUTH LOGIN"
# Never in clear by itself.
expect_in <(deliver 127.0.0.2 auth=smarthost) '^s4\.7\.4 .*does not offer STARTTLS'
expect_equal "$(seen)" ""
expect_in <(deliver 127.0.0.2 auth=missing $clear) '^s4\.3\.5 read the secret .*/secrets/posternr/missing: No such file or directory$'
chmod 644 "$POSTERN_HOME/secrets/posternr/smarthost"
expect_in <(deliver 127.0.0.2 auth=smarthost $clear) '^s4\.3\.5 .*others can read it; chmod 600'
chmod 600 "$POSTERN_HOME/secrets/posternr/smarthost"
# No other way about it: without auth= the smarthost refuses.
expect_in <(deliver 127.0.0.2) '^h.* said: 530 5\.7\.0 '
# A password goes to no host that DNS chose.
echo "x.test:USEDNS auth=smarthost" > "$POSTERN_HOME/control/smtproutes"
expect_in <("$B/postern-remote" x.test s@y.test a@x.test < "$T/message" 2>> "$T/log" | tr '\0' '\n') '^s4\.3\.5 .*smtproutes:1: auth= needs hosts that are named'
for secret in sesame "$(printf 'sesame: 1' | base64)" "$(printf '\0relay@home.example\0sesame: 1' | base64)"; do
  expect_not_in "$T/log" "$secret"
  expect_not_in "$T/reports" "$secret"
done
