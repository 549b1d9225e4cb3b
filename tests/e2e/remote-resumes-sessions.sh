#!/bin/bash
# once: the users do not matter to it
# A worker's second connection to one host resumes the TLS session of the first, under the same demand alone; a kept connection is
# not used for what demands more.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/tls.sh"
make_tls_home
make_certificate wrong 30 mx.other.test
printf '127.0.0.%s\n' 2 3 > "$POSTERN_HOME/control/notipme"
printf 'y.test MX 10 mx.y.test\nmx.y.test A 127.0.0.3\n' >> "$T/dns"
printf '%s\n' "postern-dnsq --dns $T/dns" > "$POSTERN_HOME/control/dnsq"
start y "$TESTS/smtp-server.py" 127.0.0.3 "$PORT" "$T/y"
wait_for 30 grep -q listening "$T/y"
start rspawn "$B/postern-bind" rspawn root "$B/postern-rspawn" --serve --workers 1
wait_for 30 test -S "$POSTERN_HOME/run/rspawn"
row() { python3 "$TESTS/job_row.py" rspawn "$T/message" POSTERN_MID=1 "$@" > "$T/out"; }
X="x.test s@z.test a@x.test"
Y="y.test s@z.test a@y.test"
delivered() { expect_equal "$(grep -c '|K' "$T/out")" "$1" "deliveries"; }
handshakes() { sed -n 's/^tls TLSv[0-9.]* \([A-Z]*\) .*/\1/p' "$T/sink" | tr '\n' ' '; }

for version in 1.2 1.3; do
  server tls="$T/right.pem" tlsversion=$version
  row "$X" "$Y" "$X" "$X" "$Y" "$X"
  delivered 6
  expect_equal "$(handshakes)" "NEW RESUMED RESUMED " "TLS $version"
  expect_equal "$(grep -c '^message' "$T/sink")" 4 "messages"
done
expect_in "$T/rspawn.log" 'TLS success protocol TLSv1.3 .* for x.test policy may resumed$'

# Another demand is another session: its certificate was never looked at.
server tls="$T/right.pem"
for level in encrypt verify verify; do
  level table_tls=$level
  row "$X" "$Y"
  delivered 2
done
expect_equal "$(handshakes)" "NEW NEW RESUMED " "demands"
expect_in "$T/rspawn.log" 'policy verify verified resumed$'
server tls="$T/wrong.pem"
row "$X" "$X"
delivered 0
expect_equal "$(handshakes)" "NEW NEW " "a session that was refused"

# A kept connection: the same next hop for two domains, of which one demands more.
printf 'x.test:127.0.0.2:%s\ny.test:127.0.0.2:%s\n' "$PORT" "$PORT" > "$POSTERN_HOME/control/smtproutes"
printf 'x.test table_tls=off\ny.test table_tls=encrypt\n' > "$POSTERN_HOME/control/destinations"
server tls="$T/right.pem"
row "$X" "$X" "$Y" "$Y"
delivered 4
expect_equal "$(conversation | grep -o connect | wc -l)" 2 "connections"
in_order "$T/sink" '^connect' '^message' '^message' '^connect' '^tls' '^message' '^message'
printf 'x.test table_tls=may\ny.test table_tls=encrypt\n' > "$POSTERN_HOME/control/destinations"
: > "$T/sink"
row "$X" "$Y"
delivered 2
expect_equal "$(conversation | grep -o connect | wc -l)" 1 "connections: what is encrypted will do"
# And no more messages on one than the destination allows.
printf 'DEFAULT max_messages_per_connection=2\n' > "$POSTERN_HOME/control/destinations"
: > "$T/sink"
row "$X" "$X" "$X" "$X" "$X"
delivered 5
expect_equal "$(conversation | grep -o connect | wc -l)" 3 "connections for five messages"
