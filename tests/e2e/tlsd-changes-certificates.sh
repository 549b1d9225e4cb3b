#!/bin/bash
# Certificates by name, with more than one kind of key; SIGHUP takes new ones while connections go on; a broken file changes nothing; without
# any, TLS is not offered; without tlsd, it is refused for now, and a killed worker takes no others' connections.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/tlsd.sh"
make_tls_instance
keys=$POSTERN_HOME/secrets/posternk
echo 3 > "$POSTERN_HOME/control/concurrencytls"
run_instance
wait_for 30 logged tlsd 'no certificate in .*STARTTLS is not offered'
swaks --server "127.0.0.1:$PORT" --quit-after EHLO > "$T/said" 2>&1 || fail "in clear"
expect_not_in "$T/said" STARTTLS
swaks --server "127.0.0.1:$SMTPS" --tls-on-connect --quit-after EHLO > "$T/said" 2>&1 && fail "TLS without a certificate"
wait_for 30 logged smtps 'TLS failed: .*there is no certificate'

show_certificate mx.example.org mx.example.org
show_certificate b.example b.example
show_certificate c c.example
openssl_quietly req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=rsa -addext 'subjectAltName=DNS:mx.example.org,DNS:*.wild.example' -keyout "$T/rsa.key" -out "$T/rsa.crt"
cat "$T/rsa.crt" "$T/rsa.key" > "$T/mx.example.org.rsa.pem"
install_key mx.example.org.rsa
offered() { swaks --server "127.0.0.1:$PORT" --quit-after EHLO 2>&1 | sees 250-STARTTLS; }
svc -h "$POSTERN_HOME/service/tlsd"
wait_for 30 offered
wait_for 30 logged tlsd 'read the certificates anew: 3 names'
shown() { openssl s_client -connect "127.0.0.1:$PORT" -starttls smtp "$@" < /dev/null 2>/dev/null | openssl x509 -noout -subject 2> /dev/null; }
expect_equal "$(shown -noservername)" "subject=CN = mx.example.org" "without a name"
expect_equal "$(shown -servername b.example)" "subject=CN = b.example"
expect_equal "$(shown -servername B.EXAMPLE)" "subject=CN = b.example" "in capitals"
expect_equal "$(shown -servername c.example)" "subject=CN = c" "by a name in the certificate"
expect_equal "$(shown -servername nobody.example)" "subject=CN = mx.example.org" "an unknown name"
expect_equal "$(shown -servername x.wild.example -sigalgs RSA-PSS+SHA256)" "subject=CN = rsa" "by a wildcard"
expect_equal "$(shown -noservername -sigalgs RSA-PSS+SHA256)" "subject=CN = rsa" "a client that knows RSA alone"

# Connections go on over a reload, and the new certificate is shown from then on.
PYTHONPATH=$TESTS python3 -B - "$PORT" "$T" <<'P' > "$T/kept" 2>&1 &
import os, sys, time
from tls_client import connected
c = [connected(int(sys.argv[1])) for _ in range(30)]
open(sys.argv[2] + "/open", "w")
def wait(name):
    end = time.time() + 60
    while not os.path.exists(sys.argv[2] + "/" + name) and time.time() < end: time.sleep(0.05)
wait("reloaded")
for each in c: each.expect("NOOP", "250")
killed = 0
wait("killed")
for each in c:
    try: each.expect("NOOP", "250")
    except (EOFError, OSError): killed += 1
print("lost", killed)
P
kept=$!
wait_for 30 test -e "$T/open"
old_workers=$(tlsd_workers | sort | tr '\n' ' ')
make_certificate again 30 mx.example.org
cp "$T/again.pem" "$T/mx.example.org.pem"
install_key mx.example.org
svc -h "$POSTERN_HOME/service/tlsd"
again() { [ "$(shown -noservername)" = "subject=CN = again" ]; }
wait_for 30 again
touch "$T/reloaded"
# A broken file, one that others may read, and a key of another certificate: what was read stays.
echo nonsense > "$keys/broken.pem"; chmod 600 "$keys/broken.pem"
cp "$T/b.example.pem" "$keys/open.pem"; chmod 644 "$keys/open.pem"
cat "$T/b.example.crt" "$T/c.key" > "$keys/other.pem"; chmod 600 "$keys/other.pem"
[ "$(id -u)" != 0 ] || chown posternk "$keys"/*.pem
svc -h "$POSTERN_HOME/service/tlsd"
wait_for 30 logged tlsd 'broken\.pem: there is no certificate in it'
wait_for 30 logged tlsd 'open\.pem: others may read the key'
wait_for 30 logged tlsd "other\.pem: its key is not that of its first certificate"
wait_for 30 logged tlsd 'what was read before stays'
again || fail "a broken file has changed something"
"$B/postern-tlsd" --check > "$T/check" && fail "--check finds nothing"
expect_in "$T/check" 'problem: .*broken\.pem'
rm "$keys"/{broken,open,other}.pem
"$B/postern-tlsd" --check > "$T/check" || fail "--check: $(cat "$T/check")"
expect_in "$T/check" '^3 names have a certificate'

# One old worker is killed: only its connections are lost.
for pid in $old_workers; do kill -0 "$pid" 2> /dev/null && victim=$pid; done
[ -n "${victim:-}" ] || fail "no old worker holds on"
kill -9 "$victim"
touch "$T/killed"
wait "$kept" || { cat "$T/kept"; fail "connections did not go on"; }
lost=$(sed -n 's/^lost //p' "$T/kept")
echo "lost with one worker: $lost of 30"
[ "$lost" -lt 25 ] || fail "one of three workers held $lost of 30 connections"
# A new one is killed: another takes its place.
kill -9 "$(tlsd_workers | tail -n 1)"
for _ in 1 2 3 4 5 6 7 8; do again || fail "no TLS after a worker's end"; done

# tlsd itself is away: 454, mail in clear goes on, and so does what had begun; back again, TLS too.
rm -f "$T/open"
PYTHONPATH=$TESTS python3 -B - "$PORT" "$T" <<'P' &
import os, sys, time
from tls_client import connected
c = connected(int(sys.argv[1]))
open(sys.argv[2] + "/open", "w")
end = time.time() + 60
while not os.path.exists(sys.argv[2] + "/stopped") and time.time() < end: time.sleep(0.05)
c.expect("NOOP", "250")
c.expect("QUIT", "221")
assert c.ended()
P
held=$!
wait_for 30 test -e "$T/open"
stop_service tlsd
touch "$T/stopped"
wait $held || fail "a connection was lost when tlsd was stopped"
swaks --server "127.0.0.1:$PORT" --tls --quit-after EHLO > "$T/said" 2>&1
expect_in "$T/said" '454 4\.7\.0 '
start_service tlsd
wait_for 30 again
exit 0
