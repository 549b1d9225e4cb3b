#!/bin/bash
# CVE-2011-0411: what stands in clear behind STARTTLS is neither obeyed nor answered, however it comes; and nothing that the client said
# before the handshake counts after it.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/tlsd.sh"
make_tls_instance mx.example.org
run_instance
PYTHONPATH=$TESTS python3 -B - "$PORT" <<'P' || fail "see above"
import sys, time
from tls_client import Client, connected
port = int(sys.argv[1])
evil = "MAIL FROM:<evil@other.example>\r\nRCPT TO:<alice@home.example>\r\nDATA\r\nSubject: evil\r\n\r\n.\r\n"

# In one packet with the command.
for injected in (evil, "RSET\r\n", "NOOP\r\n" * 2000, "QUIT\r\n", "x" * 5000):
    c = Client(port)
    c.greet()
    c.send("STARTTLS\r\n" + injected)
    assert c.reply()[0].startswith("220"), "no 220"
    c.shake()
    c.expect("RCPT TO:<alice@home.example>", "503")
    c.expect("EHLO again.example", "250")
    c.expect("QUIT", "221")
    assert c.ended()

# Behind the reply, before the handshake: that is no handshake, and the connection ends.
for injected in (evil, "\x16\x03\x01garbage" + evil, "\0" * 1000):
    c = Client(port)
    c.greet()
    c.expect("STARTTLS", "220")
    c.send(injected)
    rest = b""
    try:
        while True:
            got = c.socket.recv(1000)
            if not got: break
            rest += got
    except ConnectionError:
        pass
    assert b"250" not in rest and b"354" not in rest and b"5.5" not in rest, rest

# What was said before is forgotten: the name, the sender, the recipients.
c = Client(port)
c.greet()
c.expect("MAIL FROM:<a@other.example>", "250")
c.expect("RCPT TO:<alice@home.example>", "250")
c.starttls()
c.expect("DATA", "503")
c.expect("MAIL FROM:<a@other.example>", "503")
c.expect("EHLO client.example", "250")
c.expect("RCPT TO:<alice@home.example>", "503")
# And TLS does not begin twice.
c.expect("STARTTLS", "503")
c.expect("MAIL FROM:<a@other.example>", "250")
c.expect("QUIT", "221")
# Before EHLO, after HELO, with an argument.
c = Client(port)
c.reply()
c.expect("STARTTLS", "503")
c.expect("HELO x", "250")
c.expect("STARTTLS", "503")
c.expect("EHLO x", "250")
c.expect("STARTTLS now", "501")
c.expect("QUIT", "221")
P
wait_for 30 logged smtpd 'ICID [0-9]+ STARTTLS: [0-9]+ bytes behind it were thrown away'
wait_for 30 logged smtpd 'ICID [0-9]+ TLS failed: '
[ -z "$(mailbox alice)" ] || fail "the injected message arrived"
logged smtpd 'evil@other' && fail "an injected command was obeyed"
exit 0
