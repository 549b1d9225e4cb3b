#!/bin/bash
# With a trust anchor a signed zone is secure, one signed with another key is bogus (a temporary failure), an unsigned one
# insecure; a proof that there is no record is secure too.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../nsd.sh"
need ldns-keygen ldns-signzone
make_home
for name in good.test bad.test; do
  zone $name <<'Z'
@ MX 10 mx
mx A 127.0.0.2
Z
  (cd "$T/zones" && key=$(ldns-keygen -a ECDSAP256SHA256 -k -r /dev/urandom $name) && ldns-signzone -n $name "$key" && mv "$key.key" "$T/$name.key")
done
zone plain.test <<'Z'
@ MX 10 mx
mx A 127.0.0.2
Z
# The anchor of bad.test is another key than the one that it is signed with.
other=$(cd "$T" && ldns-keygen -a ECDSAP256SHA256 -k -r /dev/urandom bad.test)
cat "$T/good.test.key" "$T/$other.key" > "$T/anchors"
start_nsd

ask() { dns --trust-anchor "$T/anchors" "$@"; }
ask mx good.test > "$T/out" || fail "exit code $?"
expect_in "$T/out" '^rrset MX good.test good.test secure (300|29[0-9]) found$'
expect_in "$T/out" '^rrset A mx.good.test mx.good.test secure (300|29[0-9]) found$'
expect_in "$T/out" '^rrset AAAA mx.good.test mx.good.test secure [0-9]+ nodata$'
ask mx none.good.test > "$T/out" || fail "exit code $?"
expect_in "$T/out" '^rrset MX none.good.test none.good.test secure [0-9]+ nxdomain$'
ask mx plain.test > "$T/out" || fail "exit code $?"
expect_in "$T/out" '^rrset MX plain.test plain.test insecure (300|29[0-9]) found$'
ask mx bad.test > "$T/out"
expect_equal $? 111 "exit code of a bogus answer"
expect_in "$T/out" '^answer mx bad.test bogus$'
expect_in "$T/out" '^rrset MX bad.test bad.test bogus 0 bogus$'
expect_in "$T/out" '^why '
# The anchors of control/ count as well.
cp "$T/anchors" "$POSTERN_HOME/control/trustanchors"
dns mx good.test > "$T/out" || fail "exit code $?"
expect_in "$T/out" '^rrset MX good.test good.test secure (300|29[0-9]) found$'
dns --trust-anchor "$T/nothing" mx good.test > "$T/out" 2>&1
expect_equal $? 111 "exit code without the anchors"
