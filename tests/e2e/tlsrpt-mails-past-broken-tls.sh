#!/bin/bash
# A mailed TLS report (RFC 8460 3): it is signed by DKIM for its sender's domain, as dkimpy sees it where it arrives; it arrives although the
# domain's MTA-STS forbids its mail host, to which other mail does not go; and its own session is not recorded for the next report.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/tls.sh"
. "$TESTS/sts.sh"
. "$TESTS/dkim.sh"
need python3
/usr/bin/python3 -c 'import dkim' 2> /dev/null || skip "python3-dkim is not installed"
make_instance --local home.example --user alice
make_sts_home
chmod 644 "$T"/ca.crt "$T"/authorities/*
SINK=$(free_port)
echo "$SINK" > "$POSTERN_HOME/control/remoteport"
echo 127.0.0.2 > "$POSTERN_HOME/control/notipme"
echo none > "$POSTERN_HOME/control/stages"
printf '%s\n' 'x.test MX 10 mx.x.test' 'mx.x.test A 127.0.0.2' \
  '_smtp._tls.x.test TXT "v=TLSRPTv1; rua = mailto:tls@x.test"' >> "$T/dns"
echo "postern-dnsq --dns $T/dns" > "$POSTERN_HOME/control/dnsq"
sts_domain x.test 1 enforce mx.x.test
start_https
start_sink "$SINK"  # without STARTTLS
sign_with mx.example.org reports
dkim_table 'mx.example.org reports reports.mx.example.org.pem'
run_instance

mail ordinary | inject alice@home.example a@x.test > "$T/answer" || fail "$(cat "$T/answer")"
wait_for 60 logged rspawn 'TLS deferring .* for x.test'
DAY=$(date -u +%Y-%m-%d)
records() { cat "$POSTERN_HOME/db/tlsrpt/"????-??-?? | wc -l; }
recorded() { [ "$(records)" -ge 1 ]; }
wait_for 30 recorded
[ -e "$POSTERN_HOME/db/tlsrpt/$DAY" ] || DAY=$(date -u +%Y-%m-%d)
before=$(records)
"$B/postern-tlsrpt" --day "$DAY" 2> "$T/log" || { cat "$T/log"; fail "postern-tlsrpt: $?"; }
wait_for 60 sink_has 1
wait_for 30 logged rspawn 'Message done .*'
expect_in "$T/sink" '^< RCPT TO:<tls@x.test>'
expect_not_in "$T/sink" '^< RCPT TO:<a@x.test>'
expect_equal "$(verified)" "Report Domain: x.test Submitter: mx.example.org Report-ID: <$DAY.x.test@mx.example.org>: reports.mx.example.org pass"
split_messages
tr -d '\r' < "$T/wire/1" > "$T/report"
python3 "$TESTS/tlsrpt.py" mail "$T/report" @TLS-Required=No @TLS-Report-Domain=x.test \
  policies/0/policy/policy-type=sts policies/0/failure-details/0/result-type=starttls-not-supported || fail "the report"
expect_equal "$(records)" "$before" "records behind the report"
