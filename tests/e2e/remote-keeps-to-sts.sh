#!/bin/bash
# once: the users do not matter to it
# A domain's MTA-STS policy, where DANE says nothing: enforce delivers to the hosts that it names, over TLS with a certificate for that name, or
# not at all for now; testing delivers and notes what failed; none and no policy are as before. What the operator says goes before it. The
# sessions are recorded for the reports.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/tls.sh"
. "$TESTS/sts.sh"
make_remote_home
make_sts_home
echo "postern-tlsrpt" > "$POSTERN_HOME/control/tlsrpt"
make_certificate right 30 mx.x.test
make_certificate wrong 30 mx.other.test
make_certificate expired -1 mx.x.test
make_self_signed self mx.x.test
sts_domain x.test 1 enforce mx.x.test
start_https
ID=1
mode() { ID=$((ID + 1)); set_policy x.test "$@"; set_id x.test $ID; }
records() { tail -n "${1:-1}" "$POSTERN_HOME/db/tlsrpt/$(date -u +%Y-%m-%d)"; }
nothing_said() { expect_not_in "$T/sink" '^(< MAIL|< RCPT|< DATA|message)'; }
result() { : > "$T/log"; : > "$T/sink"; deliver a@x.test | head -n 1 | cut -c1-6; }

# enforce: right, and every wrong.
server tls="$T/right.pem"
expect_equal "$(result)" "r250 2" "enforce, the right certificate"
expect_in "$T/log" 'TLS success protocol TLSv1\.[23] .* for x.test policy sts verified$'
records | sees "^domain=x.test	type=sts	host=mx.x.test	sending=127.*	receiving=127.0.0.2	policy=version: STSv1	policy=mode: enforce	policy=mx: mx.x.test	policy=max_age: 604800	mx=mx.x.test\$" ||
  fail "record: $(records)"
deferred() {  # STATUS TYPE
  expect_equal "$(result)" "s$1" "enforce: $2"
  nothing_said
  records | sees "	result=$2	" || fail "record: $(records)"
}
server tls="$T/wrong.pem"
deferred 4.7.5 certificate-host-mismatch
# TLS-Required: No (RFC 8689), as it comes from the queue: it goes, and no session is recorded. Nothing but "no" says so.
before=$(records 1000 | wc -l)
expect_equal "$(POSTERN_TLS_REQUIRED=no result)" "r250 2" "TLS-Required: No"
expect_equal "$(records 1000 | wc -l)" "$before" "records behind TLS-Required: No"
expect_equal "$(POSTERN_TLS_REQUIRED=yes result)" "s4.7.5" "POSTERN_TLS_REQUIRED=yes"
level table_tls=dane-only
expect_equal "$(POSTERN_TLS_REQUIRED=no result)" "s4.7.5" "what the operator says goes before TLS-Required: No"
rm "$POSTERN_HOME/control/destinations"
server tls="$T/expired.pem"
deferred 4.7.5 certificate-expired
server tls="$T/self.pem"
deferred 4.7.5 certificate-not-trusted
server
deferred 4.7.4 starttls-not-supported
server tls="$T/right.pem" tlsfail=yes
deferred 4.7.5 validation-failure
# A host that it does not name is not even connected to; one that it names, further down, is.
server tls="$T/right.pem"
mode enforce '*.other.test' x.test
deferred 4.7.5 validation-failure
expect_not_in "$T/sink" '^connect'
printf 'x.test MX 5 mx.evil.test\nmx.evil.test A 127.0.0.2\n' >> "$T/dns"
mode enforce '*.x.test'
expect_equal "$(result)" "r250 2" "the second host"
expect_in "$T/log" 'TLS deferring .* for x.test: mx.evil.test\[127.0.0.2\].* is passed over: validation-failure'
expect_equal "$(grep -c '^connect' "$T/sink")" 1 connections
sed -i '/evil/d' "$T/dns"

# The HTTPS server is away, the record gone: what is known holds.
stop_https
set_id x.test
server
deferred 4.7.4 starttls-not-supported
start_https

# testing: delivered, whatever fails, and noted.
mode testing mx.x.test
for sink in "" wrong self; do
  server ${sink:+tls="$T/$sink.pem"}
  expect_equal "$(result)" "r250 2" "testing, ${sink:-no TLS}"
  expect_in "$T/log" 'TLS report: would have deferred for x.test: (starttls-not-supported|certificate-)'
  records | sees "	policy=mode: testing	" || fail "record: $(records)"
  records | sees '	result=' || fail "record: $(records)"
done
mode testing mx.elsewhere.test
server tls="$T/right.pem"
expect_equal "$(result)" "r250 2" "testing, another host"
expect_in "$T/log" 'TLS report: would have passed over mx.x.test'
records | sees '	result=validation-failure	' || fail "record: $(records)"

# none, and a policy that cannot be had: as before.
mode none
server
expect_equal "$(result)" "r250 2" "none"
rm "$POSTERN_HOME/db/sts/x.test"
mode strict mx.x.test
expect_equal "$(result)" "r250 2" "a policy that is none"
records | sees '	result=sts-policy-invalid	' || fail "record: $(records)"
rm "$POSTERN_HOME/db/sts/x.test"
set_id x.test
expect_equal "$(result)" "r250 2" "no policy"
records | sees '^domain=x.test	type=no-policy-found	.*result=starttls-not-supported' || fail "record: $(records)"

# The operator's word.
mode enforce mx.elsewhere.test
before=$(fetches x.test)
level table_tls=may
expect_equal "$(result)" "r250 2" "table_tls=may"
rm "$POSTERN_HOME/control/destinations"
echo "x.test:mx.x.test:$PORT" > "$POSTERN_HOME/control/smtproutes"
expect_equal "$(result)" "r250 2" "a route"
rm "$POSTERN_HOME/control/smtproutes"
echo none > "$POSTERN_HOME/control/stsd"
expect_equal "$(result)" "r250 2" "control/stsd none"
expect_equal "$(fetches x.test)" "$before" fetches
rm "$POSTERN_HOME/control/stsd"
expect_equal "$(result)" "s4.7.5" "all of that gone"

# stsd away: the policy in db/sts holds, and mail for others goes.
echo @stsd > "$POSTERN_HOME/control/stsd"
echo "postern-dnsq --dns $T/dns" > "$POSTERN_HOME/control/dnsq"
away() { "$B/postern-remote" x.test s@y.test a@x.test < "$T/message" 2> "$T/log" | tr '\0' '\n' | head -n 1 | cut -c1-6; }
expect_equal "$(away)" "s4.7.5" "stsd away, enforce"
expect_not_in "$T/log" 'unable to ask'
set_id x.test new
expect_equal "$(away)" "s4.7.5" "stsd away, enforce, a new id"
expect_in "$T/log" 'unable to ask for the MTA-STS policy of x.test: '
rm "$POSTERN_HOME/db/sts/x.test"
away | sees ^rmx.x || fail "stsd away, nothing known"
