#!/bin/bash
# once: the users do not matter to it
# Under an external TLS server: smtpd writes `y` to SSLCTLFD and goes on over SSLREADFD and SSLWRITEFD; and where the server has begun TLS
# itself, the field says so.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/tls.sh"
need python3 swaks openssl
make_home
mkdir "$POSTERN_HOME/store"
echo example.org > "$POSTERN_HOME/control/rcpthosts"
make_authority
make_certificate server 30 mx.example.org
export QMAILQUEUE=$TESTS/data/queue-store.sh
port=$(free_port)
start server python3 -B "$TESTS/ucspi_tls_server.py" "$port" "$T/server.pem" "$B/postern-smtpd"
wait_for 30 listening "$port"
swaks --server "127.0.0.1:$port" --tls --helo one.example --from a@other.example --to b@example.org > "$T/swaks" 2>&1 || { cat "$T/swaks" "$T/server.log"; fail "swaks"; }
expect_in "$T/server.log" 'TLS success protocol unknown cipher unknown'
grep -rhs -A 3 'Received: from one.example' "$POSTERN_HOME/store" | tr '\n' ' ' | sees 'with ESMTPS id' || fail "Received: $(grep -rhs -A 3 'Received:' "$POSTERN_HOME/store")"
# What stands behind STARTTLS in clear is thrown away here, too.
PYTHONPATH=$TESTS python3 -B - "$port" <<'P' || { cat "$T/server.log"; fail "injection"; }
import sys
from tls_client import Client
c = Client(int(sys.argv[1]))
c.greet()
c.send("STARTTLS\r\nMAIL FROM:<evil@other.example>\r\n")
assert c.reply()[0].startswith("220")
c.shake()
c.expect("RCPT TO:<b@example.org>", "503")
c.expect("EHLO x", "250")
c.expect("QUIT", "221")
P
# No TLS wanted: the conversation goes on in clear.
swaks --server "127.0.0.1:$port" --helo two.example --from a@other.example --to b@example.org > "$T/swaks" 2>&1 || fail "in clear"
grep -rhs -A 3 'Received: from two.example' "$POSTERN_HOME/store" | tr '\n' ' ' | sees 'with ESMTP id' || fail "Received in clear"
# Begun before we were started.
printf 'EHLO three.example\r\nMAIL FROM:<a@other.example>\r\nRCPT TO:<b@example.org>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n' > "$T/input"
SSL_PROTOCOL=TLSv1.3 SSL_CIPHER=TLS_AES_128_GCM_SHA256 "$B/postern-smtpd" < "$T/input" > "$T/said" 2> "$T/log"
expect_not_in "$T/said" STARTTLS
expect_in "$T/said" '^250 2\.0\.0 ok [0-9]'
grep -rhs -A 3 'Received: from three.example' "$POSTERN_HOME/store" | tr '\n' ' ' | sees -F '(TLSv1.3 cipher TLS_AES_128_GCM_SHA256)' || fail "Received: under an external server"
