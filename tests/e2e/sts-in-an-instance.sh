#!/bin/bash
# MTA-STS in the running chain: rspawn asks stsd, the first message to a domain waits for its policy and keeps to it, the session comes to
# tlsrpt; and when stsd is taken down, rspawn reads what stsd has kept.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/tls.sh"
. "$TESTS/sts.sh"
make_instance --local home.example --user alice
make_sts_home
chmod 644 "$T"/ca.crt "$T"/authorities/* 
SINK=$(free_port)
echo "$SINK" > "$POSTERN_HOME/control/remoteport"
echo 127.0.0.2 > "$POSTERN_HOME/control/notipme"
echo none > "$POSTERN_HOME/control/stages"
printf '%s\n' 'x.test MX 10 mx.x.test' 'mx.x.test A 127.0.0.2' >> "$T/dns"
echo "postern-dnsq --dns $T/dns" > "$POSTERN_HOME/control/dnsq"
make_certificate right 30 mx.x.test
make_certificate wrong 30 mx.other.test
sts_domain x.test 1 enforce mx.x.test
start_https
start_sink "$SINK" tls="$T/right.pem"
run_instance

mail one | inject alice@home.example a@x.test > "$T/answer" || fail "$(cat "$T/answer")"
wait_for 60 grep -q '^message' "$T/sink"
wait_for 30 logged rspawn 'TLS success .* for x.test policy sts verified'
wait_for 30 logged stsd 'MTA-STS policy of x.test: enforce, 1 mx, max_age 604800, id 1'
recorded() { "$B/postern-tlsrpt" --day "$(date -u +%Y-%m-%d)" --print x.test > "$T/report" 2> /dev/null && [ -s "$T/report" ]; }
wait_for 30 recorded
python3 "$TESTS/tlsrpt.py" json "$T/report" policies/0/policy/policy-type=sts policies/0/summary/total-successful-session-count=1 \
  policies/0/summary/total-failure-session-count=0 || fail "$(cat "$T/report")"

# A policy that is used is known to be, an hour behind its last use: so it is not pushed out by those of strangers.
wait_for 30 logged rspawn 'DCID [0-9]* close'  # what goes over a connection that is kept asks for nothing
touch -d '2 hours ago' "$POSTERN_HOME/db/sts/x.test"
mail used | inject alice@home.example a@x.test > "$T/answer" || fail "$(cat "$T/answer")"
touched() { [ "$(stat -c %Y "$POSTERN_HOME/db/sts/x.test")" -gt $(($(date +%s) - 3600)) ]; }
wait_for 60 touched
both_there() { [ "$(grep -c '^message' "$T/sink")" = 2 ]; }
wait_for 30 both_there  # a server that goes in the middle of it would be left alone for a while
expect_equal "$(fetches x.test)" 1 "fetches of a policy in use"

# stsd is away, and so is the right server. Even a new id does not take away what is known.
stop_service stsd
set_id x.test 2
stop_sink
: > "$T/sink"
start_sink "$SINK" tls="$T/wrong.pem"
mail two | inject alice@home.example a@x.test > "$T/answer" || fail "$(cat "$T/answer")"
wait_for 60 logged rspawn 'TLS deferring .* for x.test'
expect_in <(log_of rspawn) 'unable to ask for the MTA-STS policy of x.test'
expect_not_in "$T/sink" '^(< MAIL|message)'
failed() { recorded && sees certificate-host-mismatch "$T/report"; }
wait_for 30 failed
expect_equal "$(fetches x.test)" 1 fetches
# It comes back, and mail goes to the right server.
start_service stsd
stop_sink
start_sink "$SINK" tls="$T/right.pem"
wait_for 30 test -S "$POSTERN_HOME/run/stsd"
try_now
wait_for 60 queue_empty
wait_for 30 logged stsd 'MTA-STS policy of x.test: enforce, 1 mx, max_age 604800, id 2'
expect_equal "$(grep -c '^Subject: two' "$T/sink.messages")" 1
