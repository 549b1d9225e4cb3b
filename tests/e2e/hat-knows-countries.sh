#!/bin/bash
# once: the users do not matter to it
# Countries: the networks of a database in MaxMind's form stand in the compiled table; without a database the line names the remedy.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/hat.sh"
make_home
group_of() { "$B/postern-hat" test --score none "$1" host.example | sed -n 's/^\(group\|entry\): //p' | tr '\n' ' '; }
cat > "$POSTERN_HOME/control/hat" <<'H'
NEAR:
  country[DE, FR]
  ACCEPT
FAR: country[NO] TCPREFUSE
ALL: REJECT
H
"$B/postern-hat" compile 2> "$T/problem"
expect_equal $? 100 "without a database"
expect_in "$T/problem" 'control/hat:2: "country\[DE, FR\]": .*GeoLite2-Country.mmdb: .*; write the path of a database of countries in MaxMind.s form to control/countrydb'
echo "$T/countries" > "$POSTERN_HOME/control/countrydb"
for version in 4 6; do
  networks="192.0.2.0/24=DE 198.51.100.0/25=FR 198.51.100.128/25=NO 10.0.0.0/8=SE"
  [ $version = 4 ] || networks="$networks 2001:db8::/32=NO 2a00::/16=DE"
  python3 "$TESTS/mmdb.py" "$T/countries" $version $networks
  compile_hat
  expect_equal "$(group_of 192.0.2.255)" "NEAR country[DE, FR] (control/hat:2) " "an address of DE"
  expect_equal "$(group_of 198.51.100.127)" "NEAR country[DE, FR] (control/hat:2) " "an address of FR"
  expect_equal "$(group_of 198.51.100.128)" "FAR country[NO] (control/hat:4) " "an address of NO"
  expect_equal "$(group_of 10.1.1.1)" "None ALL (control/hat:5) " "an address of SE"
  expect_equal "$(group_of 192.0.3.0)" "None ALL (control/hat:5) " "an address of nobody"
  expect_equal "$(group_of 2002:c000:0201::1)" "None ALL (control/hat:5) " "6to4 is no country's"
  [ $version = 4 ] && continue
  expect_equal "$(group_of 2001:db8::1)" "FAR country[NO] (control/hat:4) " "an IPv6 address of NO"
  expect_equal "$(group_of 2a00:ffff::1)" "NEAR country[DE, FR] (control/hat:2) " "an IPv6 address of DE"
done
head -c 100 "$T/countries" > "$T/cut"
before=$(md5sum < "$POSTERN_HOME/control/hat.bin")
mv "$T/cut" "$T/countries"
"$B/postern-hat" compile 2> "$T/problem"
expect_equal $? 100 "a broken database"
expect_equal "$(md5sum < "$POSTERN_HOME/control/hat.bin")" "$before" "the running table"
# Shown for people and for programs; what is stale is said.
touch -d '+1 minute' "$POSTERN_HOME/control/hat"
"$B/postern-hat" test 192.0.2.1 > "$T/test"
expect_in "$T/test" '^note: control/hat or control/policies has changed since it was compiled; run postern-hat compile$'
expect_equal "$("$B/postern-hat" test --json 192.0.2.1 | python3 -c 'import json,sys; a = json.load(sys.stdin); print(a["group"], a["line"], a["rule"], a["parameters"]["tls"])')" \
  "NEAR 2 ACCEPT preferred" "as JSON"
"$B/postern-hat" test nonsense 2> "$T/problem"
expect_equal $? 100 "an address that is none"
