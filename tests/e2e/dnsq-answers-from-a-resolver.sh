#!/bin/bash
# once: the users do not matter to it
# postern-dnsq asks a resolver: .test and loopback reverse zones resolve, CNAMEs are followed, a null MX is said, and what
# the server refuses to answer has failed and is no "no such name".
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../nsd.sh"
make_home
zone example.test <<'Z'
@ MX 20 mx2
@ MX 10 mx1
mx1 A 127.0.0.2
mx1 AAAA ::1
mx2 A 127.0.0.3
alias CNAME other
other MX 5 mx1
null MX 0 .
plain A 127.0.0.4
text TXT "v=spf1 " "-all"
_25._tcp.mx1 TLSA 3 1 1 00112233
Z
zone 127.in-addr.arpa <<'Z'
2.0.0 PTR mx1.example.test.
Z
start_nsd

# A second may pass between the answer and its line.
full_ttl() { sed -E 's/ 29[0-9] found/ 300 found/; s/ 5[0-9] nodata/ 60 nodata/'; }
dns mx example.test | full_ttl > "$T/out" || fail "exit code $?"
expect_equal "$(grep -v '^data' "$T/out" | head -n 3)" "answer mx example.test found
rrset MX example.test example.test insecure 300 found
host 10 mx1.example.test" "mx"
expect_equal "$(grep -A9 '^host 10' "$T/out")" "host 10 mx1.example.test
rrset A mx1.example.test mx1.example.test insecure 300 found
data 127.0.0.2
rrset AAAA mx1.example.test mx1.example.test insecure 300 found
data ::1
host 20 mx2.example.test
rrset A mx2.example.test mx2.example.test insecure 300 found
data 127.0.0.3
rrset AAAA mx2.example.test mx2.example.test insecure 60 nodata" "hosts"
first() { dns "$@" 2>&1 | head -n 1; }
expect_equal "$(first mx alias.example.test)" "answer mx alias.example.test found"
expect_equal "$(dns mx alias.example.test | full_ttl | sed -n 2p)" "rrset MX alias.example.test other.example.test insecure 300 found"
expect_equal "$(first mx null.example.test)" "answer mx null.example.test null"
expect_equal "$(first mx plain.example.test)" "answer mx plain.example.test implicit"
expect_equal "$(first mx none.example.test)" "answer mx none.example.test nxdomain"
expect_equal "$(first mx ns.example.test)" "answer mx ns.example.test implicit"
expect_equal "$(dns txt text.example.test | tail -n 1)" 'data "v=spf1 " "-all"'
expect_equal "$(dns tlsa _25._tcp.mx1.example.test | tail -n 1)" 'data 3 1 1 00112233'
expect_equal "$(dns ptr 127.0.0.2 | tail -n 1)" "data mx1.example.test"
expect_equal "$(dns any NS example.test | tail -n 1)" "data ns.example.test"
expect_equal "$(dns ip mx1.example.test | grep -c ^data)" 2

# A zone that the server does not have is refused: no answer, not "no such name".
dns mx example.org > "$T/out"
expect_equal $? 111 "exit code"
expect_in "$T/out" '^answer mx example.org failed$'

# The resolver of control/ is used where none is named; nobody there is a failure.
echo "$DNS" > "$POSTERN_HOME/control/resolver"
"$B/postern-dnsq" ip mx2.example.test | sees '^data 127.0.0.3$' || fail "control/resolver"
"$B/postern-dnsq" --resolver 127.0.0.1:1 ip mx2.example.test > "$T/out"
expect_equal $? 111 "exit code"
for wrong in "" "mx" "nope example.test" "any NOTYPE example.test" "--resolver nowhere mx example.test"; do
  # shellcheck disable=SC2086
  "$B/postern-dnsq" $wrong > "$T/out" 2>&1
  expect_equal $? 100 "exit code of '$wrong'"
done
