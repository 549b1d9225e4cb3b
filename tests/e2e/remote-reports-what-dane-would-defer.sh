#!/bin/bash
# tls_report=on delivers what DANE would have put off, and logs what that was; without it the same message waits.
# once: the users do not matter to it
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../nsd.sh"
. "$(dirname "$0")/../dane.sh"
dane_world
dane_home
printf 'Subject: x\n\nbody\n' > "$T/message"
deliver() { : > "$T/log"; "$B/postern-remote" --resolver "$DNS" "$1" s@y.test "a@$1" < "$T/message" 2> "$T/log" | tr '\0' '\n' | head -n 1 | cut -c1; }
# LEVEL DOMAIN WHAT-THE-SERVER-SAW LINE-OF-THE-LOG
reports() {
  echo "DEFAULT table_tls=$1" > "$POSTERN_HOME/control/destinations"
  expect_equal "$(deliver "$2")" s "$1, without tls_report: $2"
  expect_not_in "$T/log" 'TLS report'
  servers_saw > /dev/null
  echo "DEFAULT table_tls=$1 tls_report=on" > "$POSTERN_HOME/control/destinations"
  expect_equal "$(deliver "$2") $(servers_saw)" "r $3" "$1, with tls_report: $2 ($(cat "$T/log"))"
  expect_in "$T/log" "TLS report: would have $4"
}
reports dane wrong.test "tls mx.wrong.test message" "deferred for wrong.test: "
reports dane expiredta.test "tls mx.expiredta.test message" "deferred for expiredta.test: certificate-expired"
reports dane nameta.test "tls mx.nameta.test message" "deferred for nameta.test: certificate-host-mismatch"
reports dane stripped.test message "deferred for stripped.test: starttls-not-supported"
reports dane bogustlsa.test "tls mx.bogustlsa.test message" "passed over mx.bogustlsa.test"
reports dane failedtlsa.test "tls mx.failedtlsa.test message" "passed over mx.failedtlsa.test"
reports dane-only absent.test message "passed over mx.absent.test"
reports dane-only unusable.test "tls mx.unusable.test message" "passed over mx.unusable.test"
reports dane-only plain.test "tls mx.wrong.test message" "passed over mx.wrong.test"
# What DANE is content with is no report.
echo 'DEFAULT tls_report=on' > "$POSTERN_HOME/control/destinations"
expect_equal "$(deliver ok.test) $(servers_saw)" "r tls mx.ok.test message"
expect_not_in "$T/log" 'TLS report'
# A bogus MX or address is no question of TLS: nobody knows where the mail should go.
expect_equal "$(deliver bogusmx.test)$(deliver bogushost.test)" ss
expect_equal "$(servers_saw)" ""
