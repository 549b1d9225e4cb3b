#!/bin/bash
# once: the users do not matter to it
# Handshakes that fail, stall or want too much end within their time, each with a line in the log, and hold nobody else up.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/tlsd.sh"
make_tls_instance mx.example.org
echo 2 > "$POSTERN_HOME/control/tlsdtimeout"
run_instance
PYTHONPATH=$TESTS python3 -B - "$PORT" "$SMTPS" <<'P' || fail "see above"
import socket, ssl, struct, sys, time
from tls_client import Client, connected, context
port, smtps = map(int, sys.argv[1:])
def begin():
    c = Client(port)
    c.greet()
    c.expect("STARTTLS", "220")
    return c

# Fifty that never finish: silent, a byte, half a record; on both ports. Others are served meanwhile.
silent = [begin() for _ in range(20)]
for c in silent[10:]: c.socket.sendall(b"\x16\x03\x01\x02\x00\x01\x00")
silent += [Client(smtps) for _ in range(10)]
began = time.monotonic()
for _ in range(20): connected(port).expect("QUIT", "221")
for c in silent: assert c.ended()
# A handshake a byte at a time is one, as long as it is done in time.
c = begin()
memory_in, memory_out = ssl.MemoryBIO(), ssl.MemoryBIO()
tls = context().wrap_bio(memory_in, memory_out)
while True:
    try:
        tls.do_handshake()
        break
    except ssl.SSLWantReadError:
        pass
    for byte in memory_out.read(): c.socket.sendall(bytes([byte]))
    memory_in.write(c.socket.recv(65536))
for byte in memory_out.read(): c.socket.sendall(bytes([byte]))
tls.write(b"EHLO slow\r\n")
c.socket.sendall(memory_out.read())
got = b""
while b"250 SIZE" not in got:
    memory_in.write(c.socket.recv(65536))
    try: got += tls.read(65536)
    except ssl.SSLWantReadError: pass
c.close()
# A client that goes away, and one that resets.
for _ in range(10): begin().close()
c = begin()
c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
c.close()
# Versions that are no more, and SSL 2.
old = context()
old.set_ciphers("ALL:@SECLEVEL=0")
import warnings
warnings.simplefilter("ignore")
for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
    old.maximum_version = version
    old.minimum_version = version
    try:
        begin().shake(old)
        sys.exit("%s was taken" % version)
    except ssl.SSLError as error:
        assert "PROTOCOL_VERSION" in str(error).upper() or "PROTOCOL VERSION" in str(error).upper(), error
c = begin()
c.socket.sendall(bytes.fromhex("801f0100020006000000100700c0") + b"x" * 40)
while c.socket.recv(1000): pass  # an alert, and the end
# A TLS record that is none, in the middle of a conversation: this one ends, with what was said before it obeyed.
c = connected(port)
c.expect("NOOP", "250")
socket.socket(fileno=socket.dup(c.socket.fileno())).sendall(b"\x17\x03\x03\x00\x20" + b"x" * 32)
assert c.ended()
P
for why in 'the handshake took too long' 'the client ended the connection in the handshake' 'unsupported protocol' 'wrong version number|http request|unknown'; do
  wait_for 30 logged smtpd "ICID [0-9]+ TLS failed: .*($why)"
done
# Renegotiation (TLS 1.2) is refused.
{ printf 'EHLO x\n'; sleep 0.5; printf 'R\n'; sleep 0.5; printf 'EHLO still\nQUIT\n'; } |
  timeout 30 openssl s_client -no_ign_eof -crlf -tls1_2 -connect "127.0.0.1:$PORT" -starttls smtp > "$T/said" 2> "$T/s_client.log"
expect_in "$T/s_client.log" 'no.renegotiation|handshake failure|RENEGOTIATING'
expect_not_in "$T/said" '^250-?.*still'
expect_in "$T/s_client.log" 'no renegotiation|NO_RENEGOTIATION'
exit 0
