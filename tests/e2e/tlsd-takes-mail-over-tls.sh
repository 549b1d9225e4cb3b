#!/bin/bash
# STARTTLS and TLS from the first byte: a message from each of several clients arrives, its Received: field and the log say how it came,
# and neither smtpd nor anybody but tlsd can read the key.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/tlsd.sh"
need posttls-finger
make_tls_instance mx.example.org
run_instance
wait_for 30 listening "$SMTPS"
received() { grep -hs -A 3 '^Received: from '"$1" "$POSTERN_HOME"/mail/alice/Maildir/new/* | tr '\n' ' '; }
arrived() { [ -n "$(received "$1")" ]; }

swaks --server "127.0.0.1:$PORT" --helo one.example --from a@other.example --to alice@home.example --tls > "$T/swaks" 2>&1 || { cat "$T/swaks"; fail "swaks"; }
wait_for 30 arrived one.example
received one.example | sees -E 'Received: from one\.example \(unknown \[127\.0\.0\.1\]\)   \(TLSv1\.3 cipher TLS_[A-Z0-9_]+ bits (256|128)\)   by mx\.example\.org with ESMTPS id [0-9]+;' ||
  fail "Received: $(received one.example)"
wait_for 30 logged smtpd 'ICID [0-9]+ TLS success protocol TLSv1\.3 cipher TLS_'

# TLS from the first byte, and TLS 1.2.
swaks --server "127.0.0.1:$SMTPS" --tls-on-connect --tls-protocol tlsv1_2 --helo two.example --from a@other.example --to alice@home.example > "$T/swaks" 2>&1 ||
  { cat "$T/swaks"; fail "swaks on connect"; }
wait_for 30 arrived two.example
received two.example | sees -E '\(TLSv1\.2 cipher ECDHE-[A-Z0-9-]+ bits (256|128)\)   by mx\.example\.org with ESMTPS id ' || fail "Received: $(received two.example)"
wait_for 30 logged smtps 'interface smtps .*address 127\.0\.0\.1'
wait_for 30 logged smtps 'TLS success protocol TLSv1\.2 cipher ECDHE'
# In clear as ever.
swaks --server "127.0.0.1:$PORT" --helo three.example --from a@other.example --to alice@home.example > "$T/swaks" 2>&1 || fail "swaks in clear"
wait_for 30 arrived three.example
received three.example | sees -E '127\.0\.0\.1\]\)   by mx\.example\.org with ESMTP id ' || fail "Received: $(received three.example)"

# What the server shows: to Postfix's client, and to openssl with the name checked.
posttls-finger -c -l verify -F "$T/ca.crt" "[127.0.0.1]:$PORT" mx.example.org > "$T/finger" 2>&1
expect_in "$T/finger" 'Verified TLS connection established .*TLSv1\.3'
echo QUIT | over_tls -verify_return_error -verify_hostname mx.example.org > "$T/said" || { cat "$T/s_client.log"; fail "s_client"; }
expect_in "$T/said" '^221 '
# A large message, to see that what waits is bounded and nothing is lost.
python3 - "$PORT" <<'P' || fail "a large message"
import smtplib, ssl, sys
c = ssl.create_default_context(); c.check_hostname = False; c.verify_mode = ssl.CERT_NONE
s = smtplib.SMTP("127.0.0.1", int(sys.argv[1]), "four.example", 60)
s.starttls(context=c)
s.sendmail("a@other.example", ["alice@home.example"], "Subject: large\r\n\r\n" + ("x" * 70 + "\r\n") * 200000)
s.quit()
P
wait_for 30 arrived four.example
large=$(grep -ls '^Received: from four.example' "$POSTERN_HOME"/mail/alice/Maildir/new/*)
expect_equal "$(grep -c '^x\{70\}$' "$large")" 200000 "lines of the large message"

if [ "$(id -u)" = 0 ]; then
  for user in posternd posterns posternq posternr; do
    setpriv --reuid=$user --regid=postern --clear-groups cat "$POSTERN_HOME/secrets/posternk/mx.example.org.pem" > /dev/null 2>&1 && fail "$user reads the key"
  done
  setpriv --reuid=posternk --regid=postern --clear-groups cat "$POSTERN_HOME/secrets/posternk/mx.example.org.pem" > /dev/null || fail "posternk does not read the key"
fi
exit 0
