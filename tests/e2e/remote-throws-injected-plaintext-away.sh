#!/bin/bash
# once: the users do not matter to it
# Replies that stand in plain text behind the reply to STARTTLS, as somebody on the way may put them there, are thrown away and
# logged: what the server says over TLS is what counts.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/tls.sh"
make_tls_home
# Taken for the replies to EHLO and MAIL, these would put every reply one off: the refusal of RCPT would be that of nobody.
server tls="$T/right.pem" "starttls=220 go\\n250-evil\\n250 SIZE 1\\n250 ok\\n250 ok" "rcpt=550 5.1.1 unknown"
for level in may encrypt verify; do
  level table_tls=$level
  : > "$T/log"
  : > "$T/sink"
  expect_equal "$(deliver a@x.test | head -n 1)" "h550 5.1.1 unknown" "$level"
  expect_in "$T/log" '^Info: DCID [0-9]+ TLS: threw away 38 bytes that came in plain text behind the reply to STARTTLS$'
  expect_equal "$(conversation | cut -d' ' -f1-4,10-12)" "connect EHLO mx.example.org STARTTLS EHLO mx.example.org MAIL" "$level"
  expect_equal "$(grep -c '^connect' "$T/sink")" 1 "connections"
done
server tls="$T/right.pem"
: > "$T/log"
expect_equal "$(deliver a@x.test | head -n 1)" "r250 2.0.0 taken" "without an injection"
expect_not_in "$T/log" 'threw away'
