#!/bin/bash
# once: the users do not matter to it
# Servers of MTA-STS policies that do not answer hold up nobody else: half of stsd's workers fetch, the others answer what needs no fetch, and
# that a policy is not known yet. Mail for such a domain waits, and does not go without its policy; but not for ever.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/tls.sh"
. "$TESTS/remote.sh"
. "$TESTS/sts.sh"
make_remote_home
make_sts_home
make_certificate right 30 mx.x.test
for name in x silent known new; do sts_domain $name.test 1 enforce mx.$name.test; done
stall() { touch "$T/www/mta-sts.$1.test/stall"; }
start_https
policy known.test
stall x; stall silent
echo "postern-dnsq --dns $T/dns" > "$POSTERN_HOME/control/dnsq"
echo 4 > "$POSTERN_HOME/control/concurrencysts"
start stsd "$B/postern-bind" stsd "$(id -un)" "$B/postern-stsd" --serve
wait_for 30 test -S "$POSTERN_HOME/run/stsd"
echo @stsd > "$POSTERN_HOME/control/stsd"
ask() { python3 "$TESTS/ask.py" stsd -- policy "$1" > "$T/answer" || fail "ask for $1: $?"; }
send() { "$B/postern-remote" x.test s@y.test a@x.test < "$T/message" 2> "$T/log.$1" | tr '\0' '\n' > "$T/result.$1"; }

# Two deliveries at once to a domain whose server is slow: both go by its policy, when that comes.
server tls="$T/right.pem"
send first & FIRST=$!
wait_for 30 sees '^mta-sts.x.test GET' "$T/www/log"
send second & SECOND=$!
ask x.test
expect_equal "$(answer_line outcome)|$(answer_line why)" "pending|it is being fetched"
rm "$T/www/mta-sts.x.test/stall"
wait $FIRST $SECOND
for n in first second; do
  sees '^rmx.x' "$T/result.$n" || fail "$n: $(cat "$T/result.$n" "$T/log.$n")"
  expect_in "$T/log.$n" 'TLS success .* for x.test policy sts verified$'
done
expect_equal "$(fetches x.test)" 1 fetches

# All places are taken: what is known is answered at once, the other domain's mail waits.
rm "$POSTERN_HOME/db/sts/x.test"
stall x
python3 "$TESTS/ask.py" stsd -- policy silent.test > "$T/silent" & SILENT=$!
python3 "$TESTS/ask.py" stsd -- policy x.test > "$T/slow" & SLOW=$!
begun() { [ "$(fetches silent.test) $(fetches x.test)" = "1 2" ]; }
wait_for 30 begun
ask known.test
expect_equal "$(answer_line outcome)|$(answer_line id)" "found|1"
ask new.test
expect_equal "$(answer_line outcome)|$(answer_line why)" "pending|too many policies are being fetched"
: > "$T/sink"
send third
sees '^s4.7.5 the MTA-STS policy is still being fetched' "$T/result.third" || fail "$(cat "$T/result.third" "$T/log.third")"
expect_not_in "$T/sink" '^(< MAIL|message)'
# Once a fetch has failed, mail does not wait for the next one (RFC 8461 5.1).
printf 'domain x.test\ntried %s\nresult sts-policy-fetch-error\nend\n' $(($(date +%s) - 1000)) > "$POSTERN_HOME/db/sts/x.test"
send fourth
sees '^rmx.x' "$T/result.fourth" || fail "$(cat "$T/result.fourth" "$T/log.fourth")"
rm "$T/www/mta-sts.x.test/stall" "$T/www/mta-sts.silent.test/stall"
wait $SILENT $SLOW
sees '^outcome found$' "$T/slow" || fail "slow: $(cat "$T/slow")"
ask new.test
expect_equal "$(answer_line outcome)|$(answer_line id)" "found|1" "with places free"
