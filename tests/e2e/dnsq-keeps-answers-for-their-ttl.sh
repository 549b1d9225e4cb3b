#!/bin/bash
# The second message to a domain makes no query upstream while the TTL lasts, and one when it is over: messages by rspawn, each over
# a connection of its own, queries counted by the name server. The same for "no such name" and "no data" by the SOA's time (RFC 2308);
# what has no SOA, or failed, is not kept.
. "$(dirname "$0")/../lib.sh"
make_home
PORT=$(free_port)
start upstream python3 "$TESTS/dns-server.py" 127.0.0.1 "$PORT" "$T/queries"
wait_for 5 listening "$PORT"
echo "127.0.0.1:$PORT" > "$POSTERN_HOME/control/resolver"
echo 127.0.0.2 > "$POSTERN_HOME/control/notipme"
SMTP=$(free_port)
echo "$SMTP" > "$POSTERN_HOME/control/remoteport"
start sink "$TESTS/smtp-server.py" 127.0.0.2 "$SMTP" "$T/sink"
wait_for 5 grep -q listening "$T/sink"
for service in dnsq rspawn; do start $service "$B/postern-bind" $service root "$B/postern-$service" --serve; done
wait_for 5 test -S "$POSTERN_HOME/run/dnsq"
wait_for 5 test -S "$POSTERN_HOME/run/rspawn"
printf 'Subject: x\n\nbody\n' > "$T/message"
queries() { grep -c "$1" "$T/queries"; }
# Each on a row of its own, so that the worker's SMTP connection is not kept for the next.
deliver() { python3 "$TESTS/job_row.py" rspawn "$T/message" "$1 s@y.test a@$1" | cut -c1-8; }
report() { deliver "$1" | sed 's/^0 \(.[0-9.]*\).*/\1/'; }

# Its MX has 2 s; the addresses of the host 300 s.
domain=ttl2.d.test
expect_equal "$(report $domain | cut -c1)" r "the first message"
expect_equal "$(queries " $domain MX")$(queries " mx.$domain A$")$(queries " mx.$domain AAAA$")" 111 "queries"
long=ttl300.d.test
expect_equal "$(report $long | cut -c1)" r "a long TTL"
count=$(wc -l < "$T/queries")
for _ in 1 2 3 4 5; do expect_equal "$(report $long | cut -c1)" r "a further message"; done
expect_equal "$(wc -l < "$T/queries")" "$count" "queries within the TTL"
expect_equal "$(grep -c '^connect' "$T/sink")" 7 "connections"
again() { report $domain; [ "$(queries " $domain MX")" = 2 ]; }
wait_for 10 again
expect_equal "$(queries " mx.$domain A$")" 1 "the addresses are still known"
# The time that is left is told.
ttl() { python3 "$TESTS/ask.py" dnsq -- any MX $long | sed -n 's/^rrset .* \([0-9]*\) found$/\1/p'; }
left=$(ttl)
{ [ "$left" -le 300 ] && [ "$left" -gt 200 ]; } || fail "TTL $left"

# Negative answers.
ask() { python3 "$TESTS/ask.py" dnsq -- "$@"; }
for how in absent empty; do
  outcome=$([ $how = absent ] && echo nxdomain || echo nodata)
  for _ in 1 2 3; do expect_in <(ask any MX ${how}300.d.test) "^answer any ${how}300.d.test $outcome$"; done
  expect_equal "$(queries " ${how}300.d.test MX")" 1 "queries for $how"
  ask any MX ${how}2.d.test > /dev/null
  negative_again() { ask any MX ${how}2.d.test; [ "$(queries " ${how}2.d.test MX")" = 2 ]; }
  wait_for 10 negative_again
done
expect_equal "$(report absent300.d.test)" h5.1.2 "mail to a domain that is not there"
expect_equal "$(queries " absent300.d.test MX")" 1 "queries for it"
# Not longer than an hour whatever the SOA says.
expect_in <(ask any MX absent99999.d.test) '^rrset MX absent99999.d.test absent99999.d.test insecure (3[0-5][0-9][0-9]|3600) nxdomain$'
ask any A othername.d.test > /dev/null
ask any A othername.d.test > "$T/out"
expect_in "$T/out" ' insecure 0 nodata$'
expect_equal "$(queries " othername.d.test A")" 2 "queries for what has no SOA"
# A failure passes soon: the name server's, as the next question shows.
expect_in <(ask any MX servfail.d.test) failed
before=$(queries " servfail.d.test MX")
failed_again() { ask any MX servfail.d.test; [ "$(queries " servfail.d.test MX")" -gt "$before" ]; }
wait_for 15 failed_again
