#!/bin/bash
# once: the users do not matter to it
# A destination's client certificate is shown to a server that asks for it; one that cannot be read makes the mail wait.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/tls.sh"
make_tls_home
make_certificate ours 30 mx.example.org
mkdir -p "$POSTERN_HOME/secrets/posternr"
cp "$T/ours.pem" "$POSTERN_HOME/secrets/posternr/ours.pem"
chmod 600 "$POSTERN_HOME/secrets/posternr/ours.pem"
for version in 1.2 1.3; do
  server tls="$T/right.pem" tlsclient="$T/ca.crt" tlsversion=$version
  level table_tls=encrypt certificate=ours
  expect_equal "$(deliver a@x.test | head -n 1)" "r250 2.0.0 taken" "with a certificate, $version"
  expect_in "$T/sink" "^tls TLSv$version NEW mx.x.test ours\$"
  # Without it: the server ends the handshake, in TLS 1.3 when we take it for done.
  level table_tls=encrypt
  : > "$T/log"
  expect_equal "$(deliver a@x.test | head -n 1 | cut -c1)" "s" "without one, $version"
  expect_in "$T/log" 'TLS failed: validation-failure: .* for x.test policy encrypt$'
  expect_not_in <(sed -n '/tls failed/,$p' "$T/sink") '^(< MAIL|message)'
done
# Nobody asks for it: nothing changes.
server tls="$T/right.pem"
level table_tls=encrypt certificate=ours
expect_equal "$(deliver a@x.test | head -n 1)" "r250 2.0.0 taken" "nobody asks"

# Our own fault: it waits, also where TLS is not required.
for level in may encrypt; do
  level table_tls=$level certificate=missing
  : > "$T/sink"
  expect_equal "$(deliver a@x.test | head -n 1 | cut -c1-6)" "s4.3.5" "no such certificate, $level"
  expect_in "$T/log" 'read the secret .*/secrets/posternr/missing.pem'
  expect_not_in "$T/sink" '^(< MAIL|message)'
done
openssl_quietly ec -in "$T/ours.key" -aes128 -passout pass:secret -out "$T/locked.key"
cat "$T/ours.crt" "$T/locked.key" > "$POSTERN_HOME/secrets/posternr/locked.pem"
cat "$T/ours.crt" "$T/right.key" > "$POSTERN_HOME/secrets/posternr/mixed.pem"
for name in locked mixed; do
  level table_tls=may certificate=$name
  expect_equal "$(deliver a@x.test 2>&1 | head -n 1 | cut -c1-6)" "s4.3.5" "$name"
done
