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
# Signed, and then damaged: signatures that have expired or are of tomorrow, one that is not there, a record that was changed, no
# proof of what is not there. Beside them a signed zone that leads to hosts in one that is not.
damaged() {  # NAME SED-SCRIPT [OPTION of ldns-signzone…]
  local name=$1 script=$2 key
  shift 2
  zone "$name" <<'Z'
@ MX 10 mx
mx A 127.0.0.2
text TXT "x"
Z
  (cd "$T/zones" && key=$(ldns-keygen -a ECDSAP256SHA256 -k -r /dev/urandom "$name") && ldns-signzone "$@" "$name" "$key" &&
    sed -i "$script" "$name.signed" && mv "$key.key" "$T/$name.key") || fail "sign $name"
  cat "$T/$name.key" >> "$T/anchors"
}
damaged expired.test '' -i 20200101000000 -e 20200201000000
damaged future.test '' -i 20350101000000 -e 20360101000000
damaged unsigned.test '/RRSIG[[:space:]]*MX/d'
damaged changed.test 's/127\.0\.0\.2/127.0.0.66/'
damaged unproven.test '/[[:space:]]NSEC[[:space:]]/d;/RRSIG[[:space:]]*NSEC[[:space:]]/d'
damaged opted.test '' -n -p
zone mixed.test <<'Z'
@ MX 10 mx.good.test.
@ MX 20 mx.plain.test.
@ MX 30 mx.changed.test.
Z
(cd "$T/zones" && key=$(ldns-keygen -a ECDSAP256SHA256 -k -r /dev/urandom mixed.test) && ldns-signzone mixed.test "$key" && cat "$key.key" >> "$T/anchors")
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
for name in expired future unsigned; do
  ask mx $name.test > "$T/out"
  expect_equal $? 111 "exit code of $name"
  expect_equal "$(head -n 1 "$T/out")" "answer mx $name.test bogus" "$name"
done
# The MX of that zone is whole; its host's address is not, and the host is not there to be connected to.
ask mx changed.test > "$T/out" || fail "exit code $?"
expect_in "$T/out" '^rrset MX changed.test changed.test secure [0-9]+ found$'
expect_in "$T/out" '^rrset A mx.changed.test mx.changed.test bogus 0 bogus$'
expect_not_in "$T/out" '127\.0\.0\.66'
# "No such name" and "no data" without proof are bogus, never a certain no.
for question in "mx none.unproven.test" "mx text.unproven.test"; do
  # shellcheck disable=SC2086
  ask $question > "$T/out"
  expect_equal $? 111 "exit code of $question"
  expect_equal "$(head -n 1 "$T/out")" "answer $question bogus"
done
# With opt-out an insecure no is what NSEC3 can say; it is an answer.
ask mx none.opted.test > "$T/out" || fail "exit code $?"
expect_in "$T/out" '^answer mx none.opted.test nxdomain$'
# Each RRset has its own word.
ask mx mixed.test > "$T/out" || fail "exit code $?"
expect_equal "$(sed -n 's/^rrset \(A\|MX\) \([^ ]*\) [^ ]* \([a-z]*\) .*/\1 \2 \3/p' "$T/out" | tr '\n' ' ')" \
  "MX mixed.test secure A mx.good.test secure A mx.plain.test insecure A mx.changed.test bogus "
# Mail to a bogus domain waits, and to one whose absence is proven fails.
cp "$T/anchors" "$POSTERN_HOME/control/trustanchors"
report() { "$B/postern-remote" --resolver "$DNS" "$1" s@y.test a@x.test < /dev/null 2> /dev/null | tr '\0' '\n' | head -n 1 | cut -c1-6; }
expect_equal "$(report bad.test)$(report expired.test)$(report none.unproven.test)$(report changed.test)" s4.4.3s4.4.3s4.4.3s4.4.3 "mail to bogus domains"
expect_equal "$(report none.good.test)" h5.1.2 "mail to a domain that is proven not to be"
# The anchors of control/ count as well.
cp "$T/anchors" "$POSTERN_HOME/control/trustanchors"
dns mx good.test > "$T/out" || fail "exit code $?"
expect_in "$T/out" '^rrset MX good.test good.test secure (300|29[0-9]) found$'
dns --trust-anchor "$T/nothing" mx good.test > "$T/out" 2>&1
expect_equal $? 111 "exit code without the anchors"
