#!/bin/bash
# once: the users do not matter to it
# Opportunistic TLS that is refused or fails: one more connection to the same address, in plain text, logged; no third one.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/tls.sh"
make_tls_home

falls_back() {
  : > "$T/log"
  : > "$T/sink"
  expect_equal "$(deliver a@x.test | head -n 1)" "r250 2.0.0 taken" "$1"
  expect_equal "$(grep -c '^connect' "$T/sink")" 2 "connections: $1"
  expect_equal "$(grep -c 'STARTTLS' "$T/sink")" 1 "STARTTLS: $1"
  expect_equal "$(conversation | sed 's:.*connect:connect:; s:QUIT ::g')" "connect EHLO mx.example.org MAIL RCPT DATA " "the second connection: $1"
  expect_equal "$(grep -c '^Info: DCID [0-9]* TLS falls back to plain text over a new connection$' "$T/log")" 1 "the log: $1"
  in_order "$T/log" "TLS failed: $2: .* for x.test policy may" 'TLS falls back' 'New SMTP DCID' 'Message done'
}
for reply in "454 4.7.0 not now" "501 5.5.4 what?" "421 4.3.2 go away|CLOSE" "CLOSE"; do
  server tls="$T/right.pem" "starttls=$reply"
  falls_back "$reply" starttls-not-supported
done
server tls="$T/right.pem" "starttls=220 go|CLOSE"
falls_back "closed" validation-failure
server tls="$T/right.pem" tlsfail=yes
falls_back "nonsense" validation-failure
server tls="$T/right.pem" tlsversion=1.1
falls_back "too old" validation-failure
# It ends behind the handshake.
server tls="$T/right.pem" ehlo2=CLOSE
falls_back "closed behind the handshake" validation-failure
# Silence, to the end of the time that STARTTLS has.
echo 1 > "$POSTERN_HOME/control/timeoutstarttls"
server tls="$T/right.pem" "starttls=220 go|STALL"
falls_back "silence" validation-failure
expect_in "$T/log" 'shake hands for TLS with .*: Connection timed out'

# The plain connection fails too: that is all, for this address.
server tls="$T/right.pem" tlsfail=yes mail=CLOSE
: > "$T/sink"
expect_equal "$(deliver a@x.test | head -n 1 | cut -c1-6)" "s4.4.2" "both fail"
expect_equal "$(grep -c '^connect' "$T/sink")" 2 "connections"
