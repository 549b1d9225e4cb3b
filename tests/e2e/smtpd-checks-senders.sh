#!/bin/bash
# once: the users do not matter to it
# R08, R09, R10, R13, R14, R18 and the checks of HELO, greeting and tarpit: real connections from several addresses, each with a policy of its
# own, a real name server behind dnsq.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/nsd.sh"
[ -x "$B/postern-hat" ] && [ -f "$TESTS/hat.sh" ] || skip "policies are read with the Host Access Table, which is not built here"
. "$TESTS/hat.sh"
need tcprules python3
make_home
mkdir "$POSTERN_HOME/store"
echo home.example > "$POSTERN_HOME/control/rcpthosts"
zone good.example <<'Z'
@ MX 10 mx
mx A 192.0.2.1
@ TXT "v=spf1 ip4:127.0.0.0/8 -all"
Z
zone forged.example <<'Z'
@ MX 10 mx
mx A 192.0.2.1
@ TXT "v=spf1 ip4:192.0.2.1 -all exp=why.forged.example"
why TXT "ask %{o} why %{i} may not"
Z
zone dead.example <<'Z'
@ MX 10 nobody
only TXT "x"
Z
zone null.example <<'Z'
@ MX 0 .
Z
printf '$ORIGIN example.\n$TTL 300\n@ SOA ns.example. h.example. 1 2 3 4 5\n@ NS ns.example.\nns A 127.0.0.1\nhome A 192.0.2.1\n' > "$T/zones/example"
for name in good forged dead null; do printf '%s NS ns\n' "$name" >> "$T/zones/example"; done
start_nsd
echo "$DNS" > "$POSTERN_HOME/control/resolver"
start dnsq "$B/postern-bind" dnsq root "$B/postern-dnsq" --serve
wait_for 30 test -S "$POSTERN_HOME/run/dnsq"

cat > "$POSTERN_HOME/control/policies" <<'P'
VERIFY  ACCEPT verify_sender=on no_such_domain="550 5.1.8 no such place"
SPF     ACCEPT spf=reject
MARK    ACCEPT spf=mark
HELO    ACCEPT check_helo=on
LAX     ACCEPT allow_malformed=on exceptions=off
DELAY   ACCEPT greet_delay=300
TARPIT  ACCEPT tarpit=400
P
cat > "$POSTERN_HOME/control/hat" <<'H'
V: 127.0.0.2 $VERIFY
S: 127.0.0.3 $SPF
M: 127.0.0.4 $MARK
H: 127.0.0.5 $HELO
L: 127.0.0.6 $LAX
D: 127.0.0.7 $DELAY
T: 127.0.0.8 $TARPIT
ALL: ACCEPT
H
compile_hat
cat > "$POSTERN_HOME/control/senderexceptions" <<'X'
friend@nowhere.example accept
known.example reject 550 5.7.1 we know you
.partner.example accept
X
"$B/postern-cdbmake" senderexceptions || fail "postern-cdbmake senderexceptions"
outsiders
export QMAILQUEUE=$TESTS/data/queue-store.sh
PORT=$(free_port)
POSTERN_LISTENER=Public start smtpd "$B/postern-bind" "tcp:127.0.0.1:$PORT" "$B/postern-smtpd" --serve
wait_for 30 listening "$PORT"
log=$T/smtpd.log
# from ADDRESS SENDER: the reply to MAIL.
from() { talk "$1" 'EHLO client.good.example' "MAIL FROM:<$2>" | tail -n 1; }

# R08
expect_equal "$(from 127.0.0.2 a@good.example)" '250 2.1.0 sender ok'
expect_equal "$(from 127.0.0.2 '')" '250 2.1.0 sender ok'
expect_equal "$(from 127.0.0.2 a@nowhere.example)" '550 5.1.8 no such place'
expect_in "$log" 'ICID [0-9]+ sender-dns: nowhere\.example does not exist \(NXDOMAIN\)'
expect_equal "$(from 127.0.0.2 a@null.example | cut -c1-10)" '550 5.7.27'
expect_equal "$(from 127.0.0.2 a@only.dead.example | cut -c1-9)" '451 4.1.8'
expect_equal "$(from 127.0.0.2 a@dead.example | cut -c1-9)" '451 4.1.8'
expect_equal "$(from 127.0.0.9 a@nowhere.example)" '250 2.1.0 sender ok' "without the check"

# R09
expect_equal "$(from 127.0.0.2 a@@b | cut -c1-9)" '553 5.1.7'
expect_equal "$(from 127.0.0.6 a@@b)" '250 2.1.0 sender ok'

# R10
expect_equal "$(from 127.0.0.2 friend@nowhere.example)" '250 2.1.0 sender ok'
expect_in "$log" "sender-exceptions: $POSTERN_HOME/control/senderexceptions:1: friend@nowhere\.example accept"
expect_equal "$(from 127.0.0.2 x@deep.partner.example)" '250 2.1.0 sender ok'
expect_equal "$(from 127.0.0.9 x@known.example)" '550 5.7.1 we know you'
expect_equal "$(from 127.0.0.6 x@known.example)" '250 2.1.0 sender ok' "exceptions=off"

# R13
expect_equal "$(from 127.0.0.3 a@good.example)" '250 2.1.0 sender ok'
expect_equal "$(from 127.0.0.3 a@forged.example)" \
  '550 5.7.23 SPF: 127.0.0.3 may not send mail of forged.example; that domain says: ask forged.example why 127.0.0.3 may not'
expect_in "$log" 'ICID [0-9]+ SPF: mailfrom identity a@forged\.example Fail '
expect_equal "$(talk 127.0.0.3 'EHLO forged.example' 'MAIL FROM:<>' | tail -n 1 | cut -c1-10)" '550 5.7.23' "the HELO name of a null reverse-path"
mail marked | FROM_ADDRESS=127.0.0.4 inject a@forged.example x@home.example > "$T/reply" || fail "marked: $(cat "$T/reply")"
stored=$(echo "$POSTERN_HOME"/store/*.message)
expect_in "$stored" '^Received-SPF: fail \(mx\.example\.org: .*"-all" of forged\.example matches\)$'
expect_in "$stored" '^  client-ip=127\.0\.0\.4;$'
expect_in "${stored%.message}.environment" "^POSTERN_SPF=fail mailfrom forged\.example$"
expect_in "$log" 'MID [0-9]+ SPF: mailfrom identity a@forged\.example Fail '

# HELO
expect_equal "$(talk 127.0.0.5 'EHLO client' | tail -n 1)" '550 5.7.1 HELO: say your full host name'
expect_equal "$(talk 127.0.0.5 'HELO client.good.example' 'MAIL FROM:<>' | tail -n 1)" '250 2.1.0 sender ok'
expect_in "$log" 'ICID [0-9]+ helo: "client" is no full host name'

# R18
expect_equal "$(from 127.0.0.9 joe | cut -c1-9)" '501 5.1.7' "without a default domain"
echo home.example > "$POSTERN_HOME/control/defaultdomain.Public"
echo other.example > "$POSTERN_HOME/control/defaultdomain"
expect_equal "$(talk 127.0.0.9 'EHLO c.example' 'MAIL FROM:<joe>' 'RCPT TO:<ann>' | tail -n 1)" '250 2.1.5 recipient ok'
expect_in "$log" 'From: <joe@home\.example>'
expect_in "$log" 'To: <ann@home\.example>'

# Who speaks before the greeting; who waits.
python3 - "$PORT" > "$T/early" <<'P'
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 30, ("127.0.0.7", 0))
s.sendall(b"EHLO early.example\r\nMAIL FROM:<a@good.example>\r\n")
print(s.makefile("rb").read().decode(), end="")
P
expect_equal "$(cat "$T/early")" $'554 5.5.1 the client speaks before the greeting, closing\r'
expect_equal "$(talk 127.0.0.7 'NOOP' | tail -n 1)" '250 2.0.0 ok' "who waits"

# R14: no reply to MAIL or RCPT before its time; who hangs up holds no process.
python3 - "$PORT" <<'P' || fail "the tarpit"
import socket, sys, time
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 30, ("127.0.0.8", 0))
f = s.makefile("rb")
f.readline()
s.sendall(b"HELO c.example\r\n")
f.readline()
for command in (b"MAIL FROM:<a@good.example>\r\n", b"RCPT TO:<x@home.example>\r\n"):
    before = time.monotonic()
    s.sendall(command)
    assert f.readline().startswith(b"250")
    assert time.monotonic() - before >= 0.399, command
P

# A name server that is away: nobody is refused for good.
kill "$NSD"
wait "$NSD" 2> /dev/null
expect_equal "$(from 127.0.0.2 a@later.example | cut -c1-9)" '451 4.4.3' "the domain without DNS"
expect_equal "$(from 127.0.0.3 a@later.example | cut -c1-10)" '451 4.7.24' "SPF without DNS"
