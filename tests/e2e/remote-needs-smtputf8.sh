#!/bin/bash
# SMTPUTF8 (RFC 6531): a message that needs it goes to a server that offers it alone, else it fails for good; one that was sent with
# it and needs it nowhere goes to any. Domains in U-labels are asked of the DNS, and looked up in smtproutes, as A-labels.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../remote.sh"
make_remote_home
ok="250 2.0.0 taken"
utf8="ehlo=250-x\\n250-8BITMIME\\n250-PIPELINING\\n250 SMTPUTF8"
domain=bücher.test
printf 'xn--bcher-kva.test MX 10 mx.x.test\n' >> "$T/dns"
to() {  # DOMAIN RECIPIENT…
  local domain=$1; shift
  POSTERN_EXTRAS=5 "$B/postern-remote" --dns "$T/dns" "$domain" "${SENDER-s@y.test}" "$@" < "$T/message" 5< "$T/extras" 2>> "$T/log" | tr '\0' '\n' |
    sed 's/mx.x.test[^ ]* said: //'
}
extras u
server "$utf8"
printf 'Subject: gr\303\274n\n\nbody\n' > "$T/message"
expect_equal "$(to "$domain" "jörg@$domain" | head -n 1)" "r$ok" "an address"
expect_in "$T/sink" '^< MAIL FROM:<s@y.test> SMTPUTF8$'
expect_equal "$(iconv -f utf-8 -t latin1 "$T/sink" | grep -ac "^< RCPT TO:<jörg@$domain>")" 1 "the recipient as it is"
expect_equal "$(SENDER="ä@y.test" to x.test a@x.test | head -n 1)" "r$ok" "a sender"

server "ehlo=250-x\\n250 8BITMIME"
expect_equal "$(to "$domain" "jörg@$domain" | head -n 1)" "h5.6.9 $W does not take SMTPUTF8, which the header needs" "the header"
printf 'Subject: x\n\ngr\303\274n\n' > "$T/message"
expect_equal "$(to "$domain" "jörg@$domain" | head -n 1)" "h5.6.7 $W does not take SMTPUTF8" "an address"
expect_equal "$(SENDER="ä@y.test" to x.test a@x.test | head -n 1)" "h5.6.7 $W does not take SMTPUTF8" "a sender"
expect_not_in "$T/sink" MAIL
expect_equal "$(to x.test a@x.test | head -n 1)" "r$ok" "needed nowhere"
expect_in "$T/sink" '^< MAIL FROM:<s@y.test>$'
# 8-bit bytes in the header of a message without the flag are an old habit, and no reason.
: > "$T/extras"
printf 'Subject: gr\303\274n\n\nbody\n' > "$T/message"
expect_equal "$(to x.test a@x.test | head -n 1)" "r$ok" "without the flag"

extras u
server "$utf8"
: > "$T/sink"
expect_equal "$(to BÜCHER.test "a@BÜCHER.test" | head -n 1)" "r$ok" "capitals"
printf '%s:%s\n' "$domain" "[127.0.0.2]:$PORT" > "$POSTERN_HOME/control/smtproutes"
expect_equal "$(to "$domain" "a@$domain" | head -n 1)" "r127.0.0.2[127.0.0.2]:$PORT said: $ok" "a route in U-labels"
printf '%s:%s\n' xn--bcher-kva.test "[127.0.0.2]:$PORT" > "$POSTERN_HOME/control/smtproutes"
expect_equal "$(to "$domain" "a@$domain" | head -n 1)" "r127.0.0.2[127.0.0.2]:$PORT said: $ok" "a route in A-labels"
rm "$POSTERN_HOME/control/smtproutes"
expect_equal "$(to "$(printf 'b\377.test')" a@x.test | head -n 1 | cut -c1-33)" 'h5.1.2 b\xff.test is not a domain' "no UTF-8"
