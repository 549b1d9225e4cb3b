#!/bin/bash
# once: the users do not matter to it
# TLS is used wherever it is offered, without a certificate being looked at; the message arrives byte for byte; what the server said
# in plain text is forgotten; with verify and secure the certificate's name counts.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/tls.sh"
make_tls_home
make_certificate domain 30 x.test
make_certificate wild 30 '*.x.test'
make_self_signed self other.test
dots() { printf 'Subject: x\n\n.\n..two\n'; head -c "$1" /dev/zero | tr '\0' x | fold -w 70 | sed 's/^x/./'; printf '\nlast\n'; }

# Any certificate will do by default; small and large messages, in both versions.
for version in 1.2 1.3; do
  server tls="$T/self.pem" tlsversion=$version
  for size in 10 100 40000 3000000; do
    dots $size > "$T/message"
    : > "$T/sink.messages"
    expect_equal "$(deliver a@x.test | head -n 1)" "r250 2.0.0 taken" "TLS $version, $size bytes"
    cmp <(sed 's/^\./../; s/$/\r/' "$T/message") "$T/sink.messages" || fail "the message is not what it was: $size"
  done
  expect_in "$T/log" "^Info: DCID [0-9]+ TLS success protocol TLSv$version cipher [A-Z0-9_-]+ for x.test policy may\$"
  expect_in "$T/sink" "^tls TLSv$version NEW mx.x.test -\$"
done
server tls="$T/self.pem" "ehlo=250-sink.test\\n250-CHUNKING\\n250-PIPELINING\\n250 STARTTLS"
printf 'Subject: x\n\nbody\n' > "$T/message"
expect_equal "$(deliver a@x.test | head -n 1)" "r250 2.0.0 taken" "one chunk"
expect_equal "$(conversation)" "connect EHLO mx.example.org STARTTLS tls TLSv1.3 NEW mx.x.test - EHLO mx.example.org MAIL RCPT BDAT 20 LAST QUIT " \
  "what was said"

# What it offered in plain text does not count.
server tls="$T/self.pem" "ehlo=250-sink.test\\n250-PIPELINING\\n250-CHUNKING\\n250 STARTTLS" "ehlo2=250-sink.test\\n250 SIZE 5"
expect_equal "$(deliver a@x.test | head -n 1 | cut -c1-6)" "h5.3.4" "the SIZE that was offered behind the handshake"
server tls="$T/self.pem" "ehlo=250-sink.test\\n250-PIPELINING\\n250-SIZE 5\\n250 STARTTLS" "ehlo2=250 sink.test"
expect_equal "$(deliver a@x.test | head -n 1)" "r250 2.0.0 taken" "the SIZE that was offered before"
expect_in "$T/sink" '^< DATA'
server tls="$T/self.pem" "ehlo=250-sink.test\\n250-SIZE 5\\n250 STARTTLS" "ehlo2=500 5.5.1 what?"
expect_equal "$(deliver a@x.test | head -n 1)" "r250 2.0.0 taken" "the SIZE that was offered before, then only HELO"

# off: not even where it is offered.
level table_tls=off
server tls="$T/self.pem"
expect_equal "$(deliver a@x.test | head -n 1)" "r250 2.0.0 taken" "off"
expect_not_in "$T/sink" 'STARTTLS|^tls'

# A certificate that fits.
check() { # LEVEL CERTIFICATE
  level table_tls="$1"
  server tls="$T/$2.pem"
  : > "$T/log"
  expect_equal "$(deliver a@x.test | head -n 1)" "r250 2.0.0 taken" "$1 $2"
  expect_in "$T/log" "TLS success .* for x.test policy $3\$"
}
check encrypt self encrypt
check required self encrypt
check verify right "verify verified"
check required_verify right "verify verified"
check verify wild "verify verified"
check secure domain "secure verified"
check secure right "secure verified"
expect_in "$T/sink" '^tls TLSv1.3 NEW x.test -$'

# The directory of authorities is read only where a certificate is looked at, and OpenSSL is not begun without TLS.
need strace
rm -f "$POSTERN_HOME/control/destinations"
opened() { strace -f -qq -e trace=openat,open,stat,newfstatat,readlink -o "$T/trace" "$B/postern-remote" --dns "$T/dns" x.test s@y.test a@x.test \
  < "$T/message" > "$T/out" 2>> "$T/log"; grep -c "$1" "$T/trace"; }
expect_equal "$(opened "$T/authorities")" 0 "authorities without need"
[ "$(opened openssl.cnf)" != 0 ] || fail "openssl.cnf tells no longer that OpenSSL was begun"
level table_tls=off
expect_equal "$(opened openssl.cnf)" 0 "OpenSSL was begun without TLS"
level table_tls=secure
[ "$(opened "$T/authorities")" != 0 ] || fail "nobody looked for the authorities"
