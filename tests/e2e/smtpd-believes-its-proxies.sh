#!/bin/bash
# once: the users do not matter to it
# R25: a load balancer in front of smtpd. PROXY (both versions) and XCLIENT from addresses of control/proxies change whose conversation it is, for
# the log, Received:, tcprules and the Host Access Table, so that the proxy's right to relay is not its clients'; from others, and from whom
# a proxy has brought, they are refused. Who should say PROXY and does not is closed on.
. "$(dirname "$0")/../lib.sh"
need python3 tcprules
make_instance --local home.example --user alice
echo none > "$POSTERN_HOME/control/stages"
printf '127.0.0.5 proxy xclient\n127.0.0.7 xclient\n192.0.2.9 xclient\n' > "$POSTERN_HOME/control/proxies"
printf 'ACCEPTED ACCEPT\nBLOCKED REJECT\nRELAYED RELAY\nOWN ACCEPT auth=preferred auth_without_tls=on check_user=on\n' > "$POSTERN_HOME/control/policies"
printf 'BLOCKED_LIST: 203.0.113.0/24 $BLOCKED\nRELAYLIST: 127.0.0.0/8 198.51.100.7 $RELAYED\nUSERS: 192.0.2.10 $OWN\nALL: $ACCEPTED\n' > "$POSTERN_HOME/control/hat"
"$B/postern-hat" compile > "$T/compile" 2>&1 || fail "$(cat "$T/compile")"
(cd "$POSTERN_HOME/control" && printf '192.0.2.66:deny\n127.:allow,RELAYCLIENT=""\n:allow\n' > tcp.smtp &&
  tcprules tcp.smtp.cdb tcp.smtp.tmp < tcp.smtp) || fail "tcprules"
run_instance
cat > "$T/client.py" << 'P'
# FROM LINE...: what the server says to each LINE (with escapes); "." sends nothing and reads a reply; one reply a line.
import codecs, socket, sys
port, source, lines = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
s = socket.create_connection(("127.0.0.1", port), 30, (source, 0))
f = s.makefile("rb")
def reply():
    while True:
        try: line = f.readline().decode("latin-1").rstrip("\r\n")
        except ConnectionError: line = ""
        if not line: return "(closed)"
        if line.startswith("250-"): print(line)
        if line[3:4] != "-": return line
for line in lines:
    ahead = line.startswith(">")  # no reply is due before what follows
    if line != ".": s.sendall(codecs.escape_decode(line.lstrip(">").encode())[0])
    if not ahead: print(reply())
s.close()
P
talk() { python3 "$T/client.py" "$PORT" "$@" > "$T/said" 2>&1; }
letter='Subject: one\r\n\r\nhello\r\n.\r\n'
said() { expect_in "$T/said" "$1"; }

# Version 1: a client that may not relay, although its proxy may.
talk 127.0.0.5 'PROXY TCP4 192.0.2.1 198.51.100.9 40000 25\r\n' 'EHLO c.example\r\n' 'MAIL FROM:<a@other.example>\r\n' \
  'RCPT TO:<x@far.example>\r\n' 'RCPT TO:<alice@home.example>\r\n' 'DATA\r\n' "$letter" 'QUIT\r\n'
said '^550 5\.7\.1 relaying denied'
said '^250 2\.0\.0 .*'
one_letter() { [ "$(mailbox alice | wc -l)" = "$1" ]; }
wait_for 30 one_letter 1
expect_in "$(mailbox alice | head -n 1)" '^Received: from c\.example \(unknown \[192\.0\.2\.1\]\)'
wait_for 30 logged smtpd 'Proxy 127\.0\.0\.5 brings 192\.0\.2\.1'
wait_for 30 logged smtpd 'New SMTP ICID [0-9]+ interface smtpd \(198\.51\.100\.9\) address 192\.0\.2\.1 '
# Version 2; its client relays by the table.
talk 127.0.0.5 '\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc6\x33\x64\x07\xc6\x33\x64\x09\x9c\x40\x00\x19' 'EHLO c.example\r\n' \
  'MAIL FROM:<a@other.example>\r\n' 'RCPT TO:<x@far.example>\r\n' 'QUIT\r\n'
said '^250 2\.1\.5'
# The proxy itself, which is not let relay; a client that is denied; no header at all.
talk 127.0.0.5 '\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00' 'EHLO c.example\r\n' 'MAIL FROM:<a@other.example>\r\n' 'RCPT TO:<x@far.example>\r\n'
said '^550 5\.7\.1 relaying denied'
talk 127.0.0.5 'PROXY TCP4 192.0.2.66 198.51.100.9 40000 25\r\n' .
expect_equal "$(head -n 1 "$T/said")" '(closed)' "a client that is denied"
talk 127.0.0.5 'PROXY TCP4 203.0.113.4 198.51.100.9 40000 25\r\n' .
said '^554 5\.7\.1'
# Whom a proxy has brought is no proxy.
talk 127.0.0.5 'PROXY TCP4 192.0.2.1 198.51.100.9 40000 25\r\n' 'EHLO c.example\r\n' 'XCLIENT ADDR=198.51.100.7\r\n'
expect_not_in "$T/said" '^250-XCLIENT'
said '^500 5\.5\.1'
talk 127.0.0.5 'EHLO c.example\r\n' .
expect_equal "$(head -n 1 "$T/said")" '(closed)' "a proxy that does not say whom it brings"
wait_for 30 logged smtpd 'take a connection of the proxy 127\.0\.0\.5: .*"EHLO c\.examp.*" is none'
# Others are not believed.
talk 127.0.0.6 . 'PROXY TCP4 198.51.100.7 198.51.100.9 40000 25\r\n' 'EHLO c.example\r\n' 'XCLIENT ADDR=198.51.100.7\r\n'
said '^220 '
said '^500 5\.5\.1'
expect_not_in "$T/said" '^250-XCLIENT'
expect_equal "$(grep -c '^500 5\.5\.1' "$T/said")" 2 "PROXY and XCLIENT from elsewhere"

# XCLIENT: everything begins anew; the next one may be named by whom the list has, too (192.0.2.9), and by nobody else.
talk 127.0.0.7 . 'EHLO proxy.example\r\n' 'MAIL FROM:<a@other.example>\r\n' 'XCLIENT ADDR=192.0.2.8\r\n' 'RSET\r\n' 'XCLIENT ADDR=nowhere\r\n' \
  'XCLIENT NAME=mail.client.example ADDR=192.0.2.8 PORT=4000\r\n' 'MAIL FROM:<a@other.example>\r\n' 'EHLO c.example\r\n' \
  'MAIL FROM:<a@other.example>\r\n' 'RCPT TO:<x@far.example>\r\n' 'RCPT TO:<alice@home.example>\r\n' 'DATA\r\n' "$letter" \
  'XCLIENT ADDR=198.51.100.7\r\n' 'QUIT\r\n'
in_order "$T/said" '^220 ' '^250-XCLIENT NAME ADDR' '^250 2\.1\.0' '^503 5\.5\.1' '^250 2\.0\.0' '^501 5\.5\.4' '^220 ' '^503 5\.5\.1' \
  '^250 2\.1\.0' '^550 5\.7\.1 relaying' '^250 2\.1\.5' '^354' '^250 2\.0\.0' '^500 5\.5\.1' '^221'
expect_equal "$(grep -c '^250-XCLIENT' "$T/said")" 1 "who offers XCLIENT"
wait_for 30 one_letter 2
grep -l 'Received: from c\.example (mail\.client\.example \[192\.0\.2\.8\])' $(mailbox alice) > /dev/null || fail "Received: of XCLIENT's client"
wait_for 30 logged smtpd 'ICID [0-9]+ goes on as ICID [0-9]+, by XCLIENT'
talk 127.0.0.7 . 'EHLO proxy.example\r\n' 'XCLIENT ADDR=192.0.2.9\r\n' 'EHLO c.example\r\n' \
  'XCLIENT ADDR=198.51.100.7 HELO=again.example PROTO=ESMTP\r\n' 'MAIL FROM:<a@other.example>\r\n' 'RCPT TO:<x@far.example>\r\n' 'QUIT\r\n'
in_order "$T/said" '^220 ' '^250-XCLIENT' '^220 ' '^250-XCLIENT' '^220 ' '^250 2\.1\.0' '^250 2\.1\.5' '^221'
# A name that XCLIENT says is held to the list of names; but who has logged in at the proxy is not, and may send to anybody.
echo again.example > "$POSTERN_HOME/control/badhelo"
talk 127.0.0.7 . 'EHLO proxy.example\r\n' 'XCLIENT ADDR=192.0.2.8 HELO=again.example\r\n' 'MAIL FROM:<a@other.example>\r\n' \
  'EHLO c.example\r\n' 'MAIL FROM:<a@other.example>\r\n' 'RCPT TO:<x@far.example>\r\n' 'QUIT\r\n'
in_order "$T/said" '^220 ' '^220 ' '^550 5\.7\.1' '^250 SIZE' '^250 2\.1\.0' '^550 5\.7\.1 relaying' '^221'
talk 127.0.0.7 . 'EHLO proxy.example\r\n' 'XCLIENT ADDR=192.0.2.8 LOGIN=bob HELO=again.example\r\n' 'MAIL FROM:<a@other.example>\r\n' \
  'RCPT TO:<x@far.example>\r\n' 'QUIT\r\n'
in_order "$T/said" '^220 ' '^220 ' '^250 2\.1\.0' '^250 2\.1\.5' '^221'
rm "$POSTERN_HOME/control/badhelo"
# A user sends as himself, whether the proxy says who it is or he logs in through it.
own=('MAIL FROM:<a@other.example>\r\n' 'MAIL FROM:<bob@home.example>\r\n' 'RCPT TO:<alice@home.example>\r\n' 'DATA\r\n'
  'From: <a@other.example>\r\n\r\n.\r\n' 'MAIL FROM:<bob@home.example>\r\n' 'RCPT TO:<x@far.example>\r\n' 'QUIT\r\n')
talk 127.0.0.7 . 'EHLO proxy.example\r\n' 'XCLIENT ADDR=192.0.2.10 LOGIN=bob\r\n' 'EHLO c.example\r\n' "${own[@]}"
in_order "$T/said" '^220 ' '^220 ' '^553 5\.7\.1' '^250 2\.1\.0' '^250 2\.1\.5' '^354' '^550 5\.7\.1' '^250 2\.1\.0' '^250 2\.1\.5' '^221'
echo crayon | "$B/postern-passwd" bob || fail postern-passwd
talk 127.0.0.5 'PROXY TCP4 192.0.2.10 198.51.100.9 40000 25\r\n' 'EHLO c.example\r\n' 'AUTH PLAIN AGJvYgBjcmF5b24=\r\n' "${own[@]}"
in_order "$T/said" '^220 ' '^235 ' '^553 5\.7\.1' '^250 2\.1\.0' '^250 2\.1\.5' '^354' '^550 5\.7\.1' '^250 2\.1\.0' '^250 2\.1\.5' '^221'
talk 127.0.0.7 . 'EHLO proxy.example\r\n' 'XCLIENT ADDR=203.0.113.4\r\n'
said '^554 5\.7\.1'
talk 127.0.0.7 . 'EHLO proxy.example\r\n' 'XCLIENT ADDR=192.0.2.66\r\n'
expect_equal "$(tail -n 1 "$T/said")" '(closed)' "a denied client by XCLIENT"

# A listener's own policy holds for whom a proxy brings, whatever the proxy's rule says.
printf '127.:allow,RELAYCLIENT="",POSTERN_POLICY="RELAYED"\n:allow\n' | tcprules "$POSTERN_HOME/control/tcp.smtp.cdb" "$T/tcp.tmp" || fail "tcprules"
first=$PORT
PORT=$(free_port)
POSTERN_POLICY=BLOCKED start own "$B/postern-bind" "tcp:127.0.0.1:$PORT" "$B/postern-smtpd" --serve
wait_for 30 listening "$PORT"
talk 127.0.0.5 'PROXY TCP4 192.0.2.1 198.51.100.9 40000 25\r\n' .
said '^554 5\.7\.1'
talk 127.0.0.6 .
said '^220 '
PORT=$first

# A line that cannot be read: nobody is let in, and showctl names it.
echo '127.0.0.5 trusted' >> "$POSTERN_HOME/control/proxies"
talk 127.0.0.6 .
said '^421 4\.3\.5'
"$B/postern-showctl" > "$T/showctl"
expect_in "$T/showctl" 'control/proxies:4: "127\.0\.0\.5 trusted" says "trusted"; behind the address stand proxy, xclient or both'
exit 0
