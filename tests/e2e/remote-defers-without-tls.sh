#!/bin/bash
# once: the users do not matter to it
# Where TLS is required a server gets nothing of a message without it: not offered, refused, broken, too old, or shown with a
# certificate that does not fit. The next host is tried, and in the end the failure is temporary, 4.7.x. With tls_report it
# goes all the same, and the log tells.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/tls.sh"
make_tls_home
make_certificate wrong 30 mx.other.test
make_certificate partial 30 'm*.x.test'
make_certificate expired -1 mx.x.test
make_self_signed self mx.x.test
quiet_sink() { expect_not_in "$T/sink" '^(< MAIL|< RCPT|< DATA|message)'; }

# deferred LEVEL STATUS TYPE: and nothing was said.
deferred() {
  level table_tls="$1"
  : > "$T/log"
  : > "$T/sink"
  expect_equal "$(deliver a@x.test | head -n 1 | cut -c1-6)" "s$2" "$1 $3"
  expect_in "$T/log" "^Info: DCID [0-9]+ TLS failed: $3: .* for x.test policy $1\$"
  expect_in "$T/log" '^Info: DCID [0-9]+ TLS deferring MID 0 to RID \[0\] for x.test$'
  expect_equal "$(grep -c '^connect' "$T/sink")" 1 "connections"
  quiet_sink
}
for level in encrypt verify secure; do
  server
  deferred $level 4.7.4 starttls-not-supported
  server tls="$T/right.pem" "starttls=454 4.7.0 not now"
  deferred $level 4.7.4 starttls-not-supported
  server tls="$T/right.pem" tlsfail=yes
  deferred $level 4.7.5 validation-failure
  server tls="$T/right.pem" "starttls=220 go|CLOSE"
  deferred $level 4.7.5 validation-failure
  server tls="$T/right.pem" tlsversion=1.1
  deferred $level 4.7.5 validation-failure
done
echo TLSv1.3 > "$POSTERN_HOME/control/tlsminimum"
server tls="$T/right.pem" tlsversion=1.2
deferred encrypt 4.7.5 validation-failure
rm "$POSTERN_HOME/control/tlsminimum"
for version in 1.2 1.3; do
  for row in wrong:certificate-host-mismatch partial:certificate-host-mismatch expired:certificate-expired self:certificate-not-trusted; do
    server tls="$T/${row%%:*}.pem" tlsversion=$version
    deferred verify 4.7.5 "${row#*:}"
  done
done
# An authority that the operator does not know is none.
mkdir "$T/nobody"
echo "$T/nobody" > "$POSTERN_HOME/control/tlscapath"
server tls="$T/right.pem"
deferred verify 4.7.5 certificate-not-trusted
echo "$T/authorities" > "$POSTERN_HOME/control/tlscapath"

# Nor is a refusal for good believed that comes in plain text; where TLS need not be, it is.
server tls="$T/right.pem" "greeting=521 5.3.2 no mail here"
deferred_by_greeting() { expect_in <(deliver a@x.test | head -n 1) "^$1"; }
for level in encrypt verify secure; do
  level table_tls=$level
  deferred_by_greeting 's521 5\.3\.2 no mail here'
done
level table_tls=may
deferred_by_greeting 'h521 5\.3\.2 no mail here'

# The certificate's subject is no name.
openssl_quietly req -new -key "$T/ca.key" -out "$T/cn.csr" -subj "/CN=mx.x.test"
openssl_quietly x509 -req -in "$T/cn.csr" -CA "$T/ca.crt" -CAkey "$T/ca.key" -CAcreateserial -days 30 -out "$T/cn.crt"
cat "$T/cn.crt" "$T/ca.key" > "$T/cn.pem"
server tls="$T/cn.pem"
deferred verify 4.7.5 certificate-host-mismatch

# dane-only without DANE: no connection is made.
level table_tls=dane-only
: > "$T/sink"
expect_equal "$(deliver a@x.test | head -n 1)" "s4.7.5 mx.x.test has no secure TLSA record, policy dane-only" "dane-only"
expect_not_in "$T/sink" connect

# The next host has what is wanted.
server
level table_tls=verify
printf 'x.test MX 10 mx1.x.test\nx.test MX 20 mx.x.test\nmx1.x.test A 127.0.0.2\nmx.x.test A 127.0.0.3\n' > "$T/dns"
printf '127.0.0.%s\n' 2 3 > "$POSTERN_HOME/control/notipme"
start second "$TESTS/smtp-server.py" 127.0.0.3 "$PORT" "$T/second" tls="$T/right.pem"
wait_for 30 grep -q listening "$T/second"
expect_equal "$(deliver a@x.test | head -n 1)" "r250 2.0.0 taken" "the next host"
quiet_sink
expect_in "$T/second" '^message'

# Reported only: delivered by the first, over TLS where that works, and logged.
level table_tls=verify tls_report=on
: > "$T/log"
expect_equal "$(deliver a@x.test | head -n 1)" "rmx1.x.test[127.0.0.2]:$PORT said: 250 2.0.0 taken" "reported"
expect_in "$T/sink" '^message'
expect_in "$T/log" '^Info: DCID [0-9]+ TLS report: would have deferred for x.test: starttls-not-supported$'
server tls="$T/expired.pem"
sed -i 's/mx1.x.test/mx.x.test/; /127.0.0.3/d' "$T/dns"
: > "$T/log"
expect_equal "$(deliver a@x.test | head -n 1)" "r250 2.0.0 taken" "reported"
expect_in "$T/sink" '^tls '
expect_in "$T/log" '^Info: DCID [0-9]+ TLS success '
expect_in "$T/log" '^Info: DCID [0-9]+ TLS report: would have deferred for x.test: certificate-expired$'

# While a line of the table is wrong nothing goes.
level table_tls=always
expect_equal "$(deliver a@x.test | head -n 1 | cut -c1-6)" "s4.3.5" "a wrong line"
