#!/bin/bash
# once: the users do not matter to it
# TLSRPT by HTTPS: the packed report is posted to the address that the domain names, which has to be who it says; an answer but 2xx is
# no yes, and one place of several is enough.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/tls.sh"
. "$TESTS/sts.sh"
make_sts_home
web_host reports.x.test
make_certificate wrong 30 other.test
web_host wrong.x.test wrong
start_https
rua() { sed -i '/^_smtp/d' "$T/dns"; echo "_smtp._tls.x.test TXT \"v=TLSRPTv1; rua=$1\"" >> "$T/dns"; }
DAY=2026-11-20
printf 'domain=x.test\thost=mx.x.test\tresult=starttls-not-supported\n' > "$POSTERN_HOME/db/tlsrpt/$DAY"
report() { "$B/postern-tlsrpt" --dns "$T/dns" --day $DAY 2> "$T/log"; }
URL=https://reports.x.test:$HTTPS_PORT/v1/tls

rua "https://wrong.x.test:$HTTPS_PORT/"
report; expect_equal $? 111 "exit code with a wrong certificate"
expect_in "$T/log" 'unable to send the TLS report'
[ -z "$(ls "$T/www/wrong.x.test" | grep posted)" ] || fail "posted to a stranger"
# Nothing goes to an inner address that is not allowed, not even the begin of a handshake; nor to the ports of other services.
rm "$POSTERN_HOME/control/httpsinner"
: > "$T/www/log"
rua "$URL"
report; expect_equal $? 111 "exit code with an inner address"
expect_in "$T/log" '127.0.0.2 is an inner address, which control/httpsinner does not allow'
sed -i 's/^reports.x.test A .*/reports.x.test AAAA ::ffff:127.0.0.2/' "$T/dns"
report; expect_equal $? 111 "exit code with a mapped inner address"
expect_in "$T/log" 'is an inner address'
sed -i 's/^reports.x.test AAAA .*/reports.x.test A 127.0.0.2/' "$T/dns"
[ ! -s "$T/www/log" ] || fail "spoke to an inner address: $(cat "$T/www/log")"
echo 127.0.0.0/29 > "$POSTERN_HOME/control/httpsinner"
rua "$URL"
echo 503 > "$T/www/reports.x.test/status"
report; expect_equal $? 111 "exit code behind 503"
echo 201 > "$T/www/reports.x.test/status"
rm "$T/www/reports.x.test"/posted.*
rua "mailto:none,https://wrong.x.test:$HTTPS_PORT/,$URL"
report || { cat "$T/log"; fail "not sent"; }
expect_in "$T/www/log" '^reports.x.test POST /v1/tls$'
expect_in "$T/www/reports.x.test/posted.0.headers" '^Content-Type: application/tlsrpt\+gzip$'
python3 "$TESTS/tlsrpt.py" gz "$T/www/reports.x.test/posted.0" policies/0/policy/policy-type=no-policy-found \
  policies/0/summary/total-failure-session-count=1 policies/0/failure-details/0/result-type=starttls-not-supported \
  date-range/start-datetime=2026-11-20T00:00:00Z || fail "the report"
report || fail "the second time"
expect_equal "$(ls "$T/www/reports.x.test" | grep -c '^posted.*headers$')" 1 "posts"
