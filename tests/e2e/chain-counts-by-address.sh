#!/bin/bash
# An instance as installed, each program under its own user: limits of addresses (limit_type=mxip) count, in a file of postern-rspawn's user.
. "$(dirname "$0")/../lib.sh"
make_signatures
P=$(free_port)
make_instance --local home.example --user alice --clamdb "$T/clamdb" --route "one.example:127.0.0.2:$P" --route "other.example:127.0.0.2:$P"
echo 'DEFAULT limit_type=mxip recipient_limit=2 recipient_minutes=60' > "$POSTERN_HOME/control/destinations"
expect_equal "$(stat -c '%a %U %s' "$POSTERN_HOME/db/limits/addresses")" "600 $(stat -c %U "$POSTERN_HOME/db/limits") 0" "as postern-init makes it"
if [ "$(id -u)" = 0 ]; then
  chown root "$POSTERN_HOME/db/limits/addresses"
  "$B/postern-showctl" > "$T/problems"
  expect_in "$T/problems" "^problem: $POSTERN_HOME/db/limits/addresses: postern-rspawn cannot count .* run chown --reference"
  eval "$(sed -n 's/^problem: .* run \(chown --reference=[^ ]* .*db.limits.addresses\)$/\1/p' "$T/problems")"
fi
start_sink "$P"
run_instance
for to in one other one; do mail "to $to" | inject alice@home.example "b@$to.example" > "$T/reply" || { cat "$T/reply"; fail "inject"; }; done
arrived() { [ "$(grep -c '^Subject: to' "$T/sink.messages")" -ge 2 ]; }
wait_for 30 arrived
full() { "$B/postern-qstat" --sites | grep -q 'recipient_limit=2 is reached for 127\.0\.0\.2'; }
wait_for 30 full
expect_equal "$(grep -c '^Subject: to' "$T/sink.messages")" 2 "messages at the host of both domains"
[ -s "$POSTERN_HOME/db/limits/addresses" ] || fail "no count of addresses"
expect_equal "$(stat -c '%a %U' "$POSTERN_HOME/db/limits/addresses")" "600 $(stat -c %U "$POSTERN_HOME/db/limits")"
[ "$(id -u)" != 0 ] || expect_equal "$(stat -c %U "$POSTERN_HOME/db/limits")" "$(stat -c %U "$POSTERN_HOME/secrets/posternr")"
