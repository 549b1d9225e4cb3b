#!/bin/bash
# once: the users do not matter to it
# With control/tlsdclientca clients may show a certificate: whose it is, and whether the authority knows it, stands in Received: and in the
# log, after a resumption too; nobody has to show one, and without the file nobody is asked.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/tlsd.sh"
make_tls_instance mx.example.org
make_certificate client 30 client.example
make_self_signed stranger 'stranger.example'
run_instance
cat > "$T/client.py" <<'P'
import sys
from tls_client import Client, connected, context
tls = context()
if sys.argv[2]: tls.load_cert_chain(sys.argv[2])
session = None
for attempt in range(2):
    c = connected(int(sys.argv[1]), tls=tls, session=session)
    session = c.socket.session
    c.expect("EHLO " + sys.argv[3], "250")
    c.expect("MAIL FROM:<a@other.example>", "250")
    c.expect("RCPT TO:<alice@home.example>", "250")
    c.expect("DATA", "354")
    c.expect("Subject: x\r\n\r\nx\r\n.", "250")
    session = c.socket.session
    c.expect("QUIT", "221")
P
client() { PYTHONPATH=$TESTS python3 -B "$T/client.py" "$PORT" "$@" || fail "client $*"; }
received() { grep -hs -A 3 "^Received: from $1" "$POSTERN_HOME"/mail/alice/Maildir/new/* | tr '\n' ' '; }
client "$T/client.pem" unasked.example
echo "$T/ca.crt" > "$POSTERN_HOME/control/tlsdclientca"
svc -h "$POSTERN_HOME/service/tlsd"
wait_for 30 logged tlsd 'read the certificates anew'
asked() { client "$T/client.pem" one.example; logged smtpd "client certificate 'CN=client' sha256 [0-9a-f]{64} verified yes"; }
wait_for 60 asked
client "$T/stranger.pem" two.example
client "" three.example
arrived() { received three.example | sees ESMTPS; }
wait_for 30 arrived
wait_for 30 logged smtpd "resumed client certificate 'CN=client' sha256 [0-9a-f]{64} verified yes"
wait_for 30 logged smtpd "client certificate 'CN=stranger' sha256 [0-9a-f]{64} verified no"
received one.example | sees -F ',   client certificate CN=client, verified)   by mx.example.org with ESMTPS' || fail "$(received one.example)"
received two.example | sees -F 'client certificate CN=stranger, not verified)' || fail "$(received two.example)"
received three.example | sees 'client certificate' && fail "$(received three.example)"
received unasked.example | sees 'client certificate' && fail "$(received unasked.example)"
exit 0
