#!/bin/bash
# once: the users do not matter to it
# XCLIENT behind STARTTLS: the conversation begins anew as another client's and stays encrypted, so STARTTLS is not offered again and a
# policy that wants TLS is content; the certificate that was shown was the proxy's. The PROXY header comes before TLS from the first byte.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/tlsd.sh"
make_tls_instance mx.example.org
make_certificate client 30 client.example
echo "$T/ca.crt" > "$POSTERN_HOME/control/tlsdclientca"
printf '127.0.0.7 xclient\n127.0.0.5 proxy\n' > "$POSTERN_HOME/control/proxies"
printf 'OURS RELAY\nSECURED ACCEPT tls=required\nSUBMISSION ACCEPT tls=required\n' > "$POSTERN_HOME/control/policies"
printf 'PROXIES: 127.0.0.0/8 $OURS\nALL: $SECURED\n' > "$POSTERN_HOME/control/hat"
"$B/postern-hat" compile > "$T/compile" 2>&1 || fail "$(cat "$T/compile")"
run_instance
wait_for 30 listening "$SMTPS"
cat > "$T/client.py" <<'P'
import socket, sys
from tls_client import Client, context
port, smtps, certificate = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
class From(Client):
    def __init__(self, port, source):
        self.socket, self.buffer = socket.create_connection(("127.0.0.1", port), 20, (source, 0)), b""
def letter(c):
    c.expect("MAIL FROM:<a@other.example>", "250")
    c.expect("RCPT TO:<x@far.example>", "550")
    c.expect("RCPT TO:<alice@home.example>", "250")
    c.expect("DATA", "354")
    c.expect("Subject: x\r\n\r\nx\r\n.", "250")
tls = context()
tls.load_cert_chain(certificate)
c = From(port, "127.0.0.7")
assert any("XCLIENT" in line for line in c.greet())
c.starttls(tls)
c.expect("EHLO proxy.example", "250")
assert c.say("XCLIENT ADDR=192.0.2.8")[-1].startswith("220 mx.example.org")
offer = c.expect("EHLO one.example", "250")
assert not any("STARTTLS" in line or "XCLIENT" in line for line in offer), offer
c.expect("STARTTLS", "503")
letter(c)
c.expect("XCLIENT ADDR=127.0.0.7", "500")
c.expect("QUIT", "221")
# In clear the policy of the new client holds, not the proxy's, and TLS may begin then.
c = From(port, "127.0.0.7")
c.greet()
c.expect("XCLIENT ADDR=192.0.2.8", "220")
c.expect("EHLO two.example", "250")
c.expect("MAIL FROM:<a@other.example>", "530")
c.starttls()
c.expect("EHLO two.example", "250")
letter(c)
c = From(smtps, "127.0.0.5")
c.send("PROXY TCP4 192.0.2.9 198.51.100.1 4000 465\r\n")
c.shake()
assert c.reply()[-1].startswith("220")
c.expect("EHLO three.example", "250")
letter(c)
P
PYTHONPATH=$TESTS python3 -B "$T/client.py" "$PORT" "$SMTPS" "$T/client.pem" || fail "client"
received() { grep -hs -A 3 "^Received: from $1" "$POSTERN_HOME"/mail/alice/Maildir/new/* | tr '\n' ' '; }
arrived() { [ -n "$(received "$1")" ]; }
for name in one two three; do wait_for 30 arrived "$name.example"; done
received one.example | sees -E '^Received: from one\.example \(unknown \[192\.0\.2\.8\]\)   \(TLSv1\.3 cipher [A-Z0-9_]+ bits [0-9]+\)   by mx\.example\.org with ESMTPS id ' ||
  fail "$(received one.example)"
received two.example | sees -E '192\.0\.2\.8\]\)   \(TLSv1\.3 .*ESMTPS' || fail "$(received two.example)"
received three.example | sees -E '192\.0\.2\.9\]\)   \(TLSv1\.3 .*ESMTPS' || fail "$(received three.example)"
wait_for 30 logged smtpd "client certificate 'CN=client' sha256"
exit 0
