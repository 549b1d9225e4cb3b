#!/bin/bash
# TLSRPT (RFC 8460): records of a day become one report a domain, sent by mail where the domain asks for it, once; what nobody
# wants is not sent, and what was not taken is sent later. --print shows them and sends nothing. All in an instance.
. "$(dirname "$0")/../lib.sh"
make_instance --local home.example --user alice
printf '%s\n' '_smtp._tls.x.test TXT "v=TLSRPTv1; rua=mailto:alice@home.example"' \
  '_smtp._tls.late.test TXT SERVFAIL' '_smtp._tls.two.test TXT "v=TLSRPTv1; rua=mailto:alice@home.example,mailto:a@b@c"' > "$T/dns"
echo "postern-dnsq --dns $T/dns" > "$POSTERN_HOME/control/dnsq"
echo none > "$POSTERN_HOME/control/stages"
run_instance
DAY=$(date -u +%Y-%m-%d)
records() { cat "$POSTERN_HOME/db/tlsrpt/$DAY" 2> /dev/null | wc -l; }
# As remote hands them in: by the socket.
as_remote() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=posternr --regid=postern --clear-groups "$@"; else "$@"; fi; }
record() { as_remote /usr/bin/python3 "$TESTS/ask.py" tlsrpt -- record "$@" || fail "record $*: $?"; }
POLICY=(type=sts "policy=version: STSv1" "policy=mode: enforce" "policy=mx: *.x.test" "policy=max_age: 86400" "mx=*.x.test")
for _ in 1 2 3; do record domain=x.test "${POLICY[@]}" host=mx.x.test receiving=192.0.2.2; done
record domain=x.test "${POLICY[@]}" host=mx.x.test receiving=192.0.2.2 sending=192.0.2.1 result=certificate-expired "reason=it was"
record domain=x.test "${POLICY[@]}" host=mx.x.test receiving=192.0.2.2 sending=192.0.2.1 result=certificate-expired "reason=it was"
record domain=x.test type=tlsa "policy=3 1 1 00ff" host=mx.x.test result=validation-failure
record domain=nobody.test
record domain=late.test
as_remote /usr/bin/python3 "$TESTS/ask.py" tlsrpt -- record domain=x.test result=whatever > /dev/null && fail "took a broken record"
expect_equal "$(records)" 8 "records"

"$B/postern-tlsrpt" --day "$DAY" --print x.test > "$T/report" || fail "--print: $?"
python3 "$TESTS/tlsrpt.py" json "$T/report" organization-name=mx.example.org contact-info=postmaster@mx.example.org \
  policies/0/policy/policy-type=sts policies/0/policy/policy-domain=x.test policies/0/policy/policy-string/1="mode: enforce" \
  policies/0/policy/mx-host/0='*.x.test' \
  policies/0/summary/total-successful-session-count=3 policies/0/summary/total-failure-session-count=2 \
  policies/0/failure-details/0/failed-session-count=2 policies/0/failure-details/0/result-type=certificate-expired \
  policies/1/policy/policy-type=tlsa policies/1/policy/policy-string/0="3 1 1 00ff" || fail "the report"
expect_equal "$("$B/postern-tlsrpt" --day "$DAY" --print | wc -l)" 3 "reports"

# A queue that takes nothing: later.
QMAILQUEUE=/bin/false "$B/postern-tlsrpt" --day "$DAY" 2> "$T/log"
expect_equal $? 111 "exit code without a queue"
"$B/postern-tlsrpt" --day "$DAY" 2> "$T/log"
expect_equal $? 111 "exit code with a domain whose DNS fails"
expect_in "$T/log" 'unable to send the TLS report .*late.test@mx.example.org'
arrived() { [ "$(mailbox alice | wc -l)" = 1 ]; }
wait_for 60 arrived
python3 "$TESTS/tlsrpt.py" mail "$(mailbox alice)" @TLS-Report-Domain=x.test @TLS-Report-Submitter=mx.example.org \
  @From="TLS reports <postmaster@mx.example.org>" @TLS-Required=No report-id="$DAY.x.test@mx.example.org" \
  "@Subject=Report Domain: x.test Submitter: mx.example.org Report-ID: <$DAY.x.test@mx.example.org>" \
  policies/0/summary/total-failure-session-count=2 || fail "the mail"
# Once: only what failed is tried again.
sed -i 's/SERVFAIL/"v=TLSRPTv1; rua=mailto:alice@home.example"/' "$T/dns"
"$B/postern-tlsrpt" --day "$DAY" 2> "$T/log" || { cat "$T/log"; fail "the second time"; }
arrived_too() { [ "$(mailbox alice | wc -l)" = 2 ]; }
wait_for 60 arrived_too
"$B/postern-tlsrpt" --day "$DAY" 2> "$T/log" || fail "the third time"
expect_equal "$(sort "$POSTERN_HOME/db/tlsrpt/$DAY.sent" | tr '\n' ' ')" "late.test nobody.test x.test "
expect_not_in "$T/log" 'TLS report .* to '
# Nothing has its owner changed, so the service goes on with it; a day that is over is reported by it, and removed.
[ "$(id -u)" != 0 ] || expect_equal "$(stat -c %U "$POSTERN_HOME/db/tlsrpt/$DAY.sent")" posterne
OLD=$(date -u -d '3 days ago' +%Y-%m-%d)
printf 'domain=two.test\thost=mx.two.test\n' > "$POSTERN_HOME/db/tlsrpt/$OLD"
[ "$(id -u)" != 0 ] || chown posterne "$POSTERN_HOME/db/tlsrpt/$OLD"
svc -t "$POSTERN_HOME/service/tlsreport"
gone() { [ ! -e "$POSTERN_HOME/db/tlsrpt/$OLD" ] && [ ! -e "$POSTERN_HOME/db/tlsrpt/$OLD.sent" ]; }
wait_for 60 gone
wait_for 60 logged tlsreport "TLS reports of $OLD: 1 sent, 0 not wanted, 0 failed"
arrived_three() { [ "$(mailbox alice | wc -l)" = 3 ]; }
wait_for 60 arrived_three
