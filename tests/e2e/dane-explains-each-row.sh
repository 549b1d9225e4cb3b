#!/bin/bash
# postern-dane says for each row of the table what DANE comes to and what a delivery would do, with the exit code for it; with nothing
# connected to, what the DNS alone decides.
# once: the users do not matter to it
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../nsd.sh"
. "$(dirname "$0")/../dane.sh"
need jq
dane_world
dane_home
explain() { "$B/postern-dane" --resolver "$DNS" "$@" 2>> "$T/log"; }
for row in $DANE_ROWS; do
  IFS=: read -r name outcome fate <<< "$row"
  explain --json "$name.test" > "$T/out"
  code=$?
  got=$(jq -r '[.hosts[] | select(.used) | .dane.outcome | gsub(" "; "_")] | first // "-"' "$T/out")
  expect_equal "$got" "$outcome" "DANE of $name.test ($(cat "$T/out"))"
  case $fate in
    wait) expect_equal "$code $(jq -r .verdict "$T/out")" "111 deferred" "$name.test ($(cat "$T/out"))" ;;
    *)
      expect_equal "$code $(jq -r .verdict "$T/out")" "0 goes" "$name.test ($(cat "$T/out"))"
      got=$(jq -r '[.hosts[] | select(.goes)] | first | .connection.encrypted' "$T/out")
      expect_equal "$got" "$([ $fate = tls ] && echo true || echo false)" "TLS with $name.test"
      ;;
  esac
  # Nothing is sent to a host whose DANE failed, and with --no-connect to none.
  case $outcome in failed) [ $name = skips ] || expect_equal "$(jq '[.hosts[] | select(.connection)] | length' "$T/out")" 0 "connections of $name" ;; esac
done
servers_saw > /dev/null
for row in $DANE_ROWS; do
  IFS=: read -r name outcome fate <<< "$row"
  explain --no-connect "$name.test" > "$T/out"
  code=$?
  expected=0
  case $outcome in -|failed) [ $name = skips ] || expected=111 ;; esac
  expect_equal $code $expected "exit code for $name.test with --no-connect ($(cat "$T/out"))"
done
for log in "$T"/server.?; do expect_equal "$(cat "$log")" "" "what a server saw"; done
# What people read.
explain mixed.test > "$T/out" || fail "exit code $?"
expect_in "$T/out" '^  MX +secure$'
expect_in "$T/out" "^  TLSA +_$PORT._tcp.mx.mixed.test$"
expect_in "$T/out" '^ +3 1 1 [0-9a-f]{64}  usable$'
expect_in "$T/out" '^ +1 1 1 [0-9a-f]{64}  not usable: usage 1 '
expect_in "$T/out" '^ +3 1 1 00  not usable: its digest has 1 bytes instead of 32$'
expect_in "$T/out" '^  DANE +secure and usable: '
expect_in "$T/out" '^  names +mx.mixed.test mixed.test$'
expect_in "$T/out" '^  connection +127.0.0.2 port [0-9]+ TLSv1.3 [A-Z0-9_]+, the certificate fits$'
expect_in "$T/out" '^  certificate +0 CN=server right, by CN=authority ca$'
expect_in "$T/out" "x 1 1 $(tlsa right 3 1 1 | cut -d' ' -f4)"
expect_in "$T/out" "x 0 1 $(tlsa right 3 0 1 | cut -d' ' -f4)"
expect_in "$T/out" '^delivery goes: to mx.mixed.test, '
# Hosts in order, also those that are not used.
explain --json skips.test > "$T/out" || fail "exit code $?"
expect_equal "$(jq -r '.hosts[] | .name + " " + (.dane.outcome // "left out") + " " + (.goes | tostring)' "$T/out" | sort | tr '\n' ';')" \
  "mx.bogushost.test left out null;mx.bogustlsa.test failed false;mx.ok.test usable true;mx.wrong.test usable false;"
# What never goes.
for never in none.ok.test 'not a domain' ''; do
  explain "$never" > "$T/out"
  expect_equal $? 100 "exit code for '$never'"
done
explain ok.test more > "$T/out"
expect_equal $? 100 "exit code for two domains"
# A route to a host by name is asked about at its own port; one to an address never.
echo "routed.test:mx.ok.test:$PORT" > "$POSTERN_HOME/control/smtproutes"
echo "address.test:127.0.0.2:$PORT" >> "$POSTERN_HOME/control/smtproutes"
expect_equal "$(explain --json routed.test | jq -r '.hosts[0].dane | .outcome + " " + .tlsa_name')" "usable _$PORT._tcp.mx.ok.test"
expect_equal "$(explain --json address.test | jq -r '.hosts[0].dane.outcome')" "not applicable"
# The policy of control/destinations decides.
printf 'absent.test table_tls=dane-only\nunusable.test table_tls=dane-only\nstripped.test tls_report=on\nwrong.test table_tls=off\n' \
  > "$POSTERN_HOME/control/destinations"
explain absent.test > "$T/out"
expect_equal $? 111 "dane-only without records"
explain unusable.test > "$T/out"
expect_equal $? 111 "dane-only without usable records"
explain stripped.test > "$T/out" || fail "tls_report: exit code $?"
expect_in "$T/out" '^  only logged +it does not offer STARTTLS$'
explain wrong.test > "$T/out" || fail "off: exit code $?"
expect_in "$T/out" '^  demand +no TLS '
