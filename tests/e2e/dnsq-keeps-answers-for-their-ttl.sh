#!/bin/bash
# once: the users do not matter to it
# The second message to a domain makes no query upstream while the TTL lasts, and one when it is over: messages by rspawn, each over
# a connection of its own, queries counted by the name server. The same for "no such name" and "no data" by the SOA's time (RFC 2308);
# what has no SOA, or failed, is forgotten within seconds.
. "$(dirname "$0")/../lib.sh"
make_home
PORT=$(free_port)
start upstream python3 "$TESTS/dns-server.py" 127.0.0.1 "$PORT" "$T/queries"
wait_for 30 listening "$PORT"
echo "127.0.0.1:$PORT" > "$POSTERN_HOME/control/resolver"
echo 127.0.0.2 > "$POSTERN_HOME/control/notipme"
SMTP=$(free_port)
echo "$SMTP" > "$POSTERN_HOME/control/remoteport"
start sink "$TESTS/smtp-server.py" 127.0.0.2 "$SMTP" "$T/sink"
wait_for 30 grep -q listening "$T/sink"
for service in dnsq rspawn; do start $service "$B/postern-bind" $service root "$B/postern-$service" --serve; done
wait_for 30 test -S "$POSTERN_HOME/run/dnsq"
wait_for 30 test -S "$POSTERN_HOME/run/rspawn"
printf 'Subject: x\n\nbody\n' > "$T/message"
# How many so far; one of our own first, so that all before it are written down (a query may have been sent twice).
queries() {
  "$B/postern-dnsq" --resolver "127.0.0.1:$PORT" any A marker.test > /dev/null
  grep -c "$1" "$T/queries"
}
# Each on a row of its own, so that the worker's SMTP connection is not kept for the next.
deliver() { python3 "$TESTS/job_row.py" rspawn "$T/message" "$1 s@y.test a@$1" | cut -c1-8; }
report() { deliver "$1" | sed 's/^0 \(.[0-9.]*\).*/\1/'; }

# Its MX has 1 s; the addresses of the host 300 s.
domain=ttl1.d.test
expect_equal "$(report $domain | cut -c1)" r "the first message"
for question in " $domain MX" " mx.$domain A$" " mx.$domain AAAA$"; do [ "$(queries "$question")" -ge 1 ] || fail "no query $question"; done
first=$(queries " $domain MX")
addresses=$(queries " mx.$domain A$")
long=ttl300.d.test
expect_equal "$(report $long | cut -c1)" r "a long TTL"
count=$(queries "$long")
for _ in 1 2 3 4 5; do expect_equal "$(report $long | cut -c1)" r "a further message"; done
expect_equal "$(queries "$long")" "$count" "queries within the TTL"
expect_equal "$(grep -c '^connect' "$T/sink")" 7 "connections"
again() { report $domain; [ "$(queries " $domain MX")" -gt "$first" ]; }
wait_for 30 again
expect_equal "$(queries " mx.$domain A$")" "$addresses" "the addresses are still known"
# The time that is left is told.
ttl() { python3 "$TESTS/ask.py" dnsq -- any MX $long | sed -n 's/^rrset .* \([0-9]*\) found$/\1/p'; }
left=$(ttl)
{ [ "$left" -le 300 ] && [ "$left" -gt 200 ]; } || fail "TTL $left"

# Without an SOA, and for a failure: for some seconds (waited for below); nobody is told that it may be kept.
ask() { python3 "$TESTS/ask.py" dnsq -- "$@"; }
ask any A othername.d.test > "$T/out"
expect_in "$T/out" ' insecure 0 nodata$'
without_soa=$(queries " othername.d.test A")
expect_in <(ask any MX servfail.d.test) failed
failed=$(queries " servfail.d.test MX")

# Negative answers; each in a zone of its own, because a zone has one SOA.
for how in absent empty; do
  outcome=$([ $how = absent ] && echo nxdomain || echo nodata)
  for name in ${how}300.long-$how.test ${how}1.$how.test; do
    ask any MX $name > "$T/out"
    expect_in "$T/out" "^answer any $name $outcome$"
  done
  long_before=$(queries " ${how}300.long-$how.test MX")
  short_before=$(queries " ${how}1.$how.test MX")
  for _ in 1 2 3; do ask any MX ${how}300.long-$how.test > /dev/null; done
  expect_equal "$(queries " ${how}300.long-$how.test MX")" "$long_before" "queries for $how"
  negative_again() { ask any MX ${how}1.$how.test; [ "$(queries " ${how}1.$how.test MX")" -gt "$short_before" ]; }
  wait_for 30 negative_again
done
before=$(queries " absent300.long-absent.test MX")
expect_equal "$(report absent300.long-absent.test)" h5.1.2 "mail to a domain that is not there"
expect_equal "$(queries " absent300.long-absent.test MX")" "$before" "queries for it"
# Not longer than an hour whatever the SOA says.
expect_in <(ask any MX absent99999.f.test) '^rrset MX absent99999.f.test absent99999.f.test insecure (3[0-5][0-9][0-9]|3600) nxdomain$'
without_soa_again() { ask any A othername.d.test; [ "$(queries " othername.d.test A")" -gt "$without_soa" ]; }
wait_for 30 without_soa_again
failed_again() { ask any MX servfail.d.test; [ "$(queries " servfail.d.test MX")" -gt "$failed" ]; }
wait_for 30 failed_again
