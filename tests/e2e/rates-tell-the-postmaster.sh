#!/bin/bash
# R26, R27: message N+1 of a user's day is refused, others are unaffected, and the postmaster gets one mail about it, through the whole chain.
. "$(dirname "$0")/../lib.sh"
make_signatures
make_instance --local home.example --user alice --clamdb "$T/clamdb"
echo alice@home.example > "$POSTERN_HOME/control/alertto"
run_instance
as_smtpd() { if [ "$(id -u)" = 0 ]; then setuidgid posternd "$@"; else "$@"; fi; }
take() { as_smtpd python3 "$TESTS/rates.py" take "$@"; }
chmod 755 "$T" "$POSTERN_HOME"
expect_equal "$(take user-day eve day 3 5)" 3
expect_equal "$(take user-day bob day 3 3)" 3
expect_equal "$(take user-day eve day 3 5)" 0
delivered() { [ "$(mailbox alice | wc -l)" = "$1" ]; }
wait_for 60 delivered 1
wait_for 30 logged rated 'Info: User eve has met the limit of 3 messages a day'
expect_in "$(mailbox alice)" '^Subject: eve has met the limit of 3 messages a day$'
expect_in "$(mailbox alice)" '^To: <alice@home.example>$'
svc -t "$POSTERN_HOME/service/rated"
again() { take user-day eve day 3 1 > "$T/again" && [ "$(cat "$T/again")" = 0 ]; }
wait_for 30 again
expect_equal "$(take user-day mallory day 1 2)" 1
wait_for 60 delivered 2
expect_equal "$(cat $(mailbox alice) | grep -c '^Subject: eve')" 1 "alerts on eve"
expect_equal "$(log_of rated | grep -c 'Info: User eve')" 1 "log lines on eve"
