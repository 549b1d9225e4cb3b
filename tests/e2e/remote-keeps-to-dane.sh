#!/bin/bash
# postern-remote delivers as the table of DANE says, row by row: over TLS that fits, without where DANE says nothing, or not at all;
# a host whose DANE failed is not even connected to; SNI is the TLSA base domain.
# once: the users do not matter to it
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../nsd.sh"
. "$(dirname "$0")/../dane.sh"
dane_world
dane_home
printf 'Subject: x\n\nbody\n' > "$T/message"
# The report's first letter and status where it is no server's word.
deliver() { "$B/postern-remote" --resolver "$DNS" "$1" s@y.test "a@$1" < "$T/message" 2>> "$T/log" | tr '\0' '\n' | head -n 1 | cut -c1-6; }
dane_to() { deliver "$1" > "$T/report"; expect_equal "$(cut -c1 "$T/report")$(servers_saw)" "$2" "delivery to $1 ($(tail -n 5 "$T/log"))"; }

for row in $DANE_ROWS; do
  IFS=: read -r name outcome fate <<< "$row"
  deliver "$name.test" > "$T/report"
  saw=$(servers_saw)
  case $fate in
    wait) expect_equal "$(cut -c1 "$T/report") ${saw##*message*}" "s $saw" "$name.test waits" ;;
    plain) expect_equal "$(cut -c1 "$T/report") $saw" "r message" "$name.test goes without TLS" ;;
    tls) expect_equal "$(cut -c1 "$T/report") $(sed 's/tls [^ ]*/tls/g' <<< "$saw")" "$([ $name = skips ] && echo 'r tls tls message' || echo 'r tls message')" "$name.test goes over TLS" ;;
  esac
  case $outcome:$name in failed:skips) ;; failed:*|-:*) expect_equal "$saw" "" "$name.test is not connected to" ;; esac
done
# The base domain is what SNI says: of the CNAMEs' end, of their beginning where the end has no records or is insecure.
dane_to ok.test "rtls mx.ok.test message"
dane_to cname.test "rtls mx.ok.test message"
dane_to cnameown.test "rtls alias.cnameown.test message"
dane_to cnameinsecure.test "rtls alias.cnameinsecure.test message"
dane_to implicit.test "rtls implicit.test message"
# Why it waits, in the log and in the report.
deliver expiredta.test > "$T/report"
expect_equal "$(cat "$T/report")" s4.7.5 "the status for a certificate that does not fit"
expect_in "$T/log" 'TLS failed: certificate-expired: .* for expiredta.test policy dane'
expect_in "$T/log" 'TLS failed: certificate-host-mismatch: .* for nameta.test policy dane'
expect_in "$T/log" 'TLS failed: starttls-not-supported: .* for stripped.test policy dane'
expect_in "$T/log" 'bogustlsa.test: .* is passed over: .*TLSA'
servers_saw > /dev/null
# dane-only: without a certificate that fits a record, nothing.
echo 'DEFAULT table_tls=dane-only' > "$POSTERN_HOME/control/destinations"
dane_to ok.test "rtls mx.ok.test message"
for name in unusable absent plain insecurehost insecuretlsa failedtlsa; do dane_to $name.test s; done
# An address is never asked about, and dane-only is never met there.
dane_to '[127.0.0.2]' s
# A route to a host by name is, at its own port; the domain's own DNS does not count then.
printf 'routed.test:mx.ok.test:%s\nwrongly.test:mx.wrong.test:%s\naddress.test:127.0.0.2:%s\n' "$PORT" "$PORT" "$PORT" > "$POSTERN_HOME/control/smtproutes"
dane_to routed.test "rtls mx.ok.test message"
dane_to wrongly.test "stls mx.wrong.test"
dane_to address.test s
# Other levels do not ask: what the records say does not matter to them.
echo 'DEFAULT table_tls=may' > "$POSTERN_HOME/control/destinations"
dane_to wrong.test "rtls mx.wrong.test message"
dane_to bogustlsa.test "rtls mx.bogustlsa.test message"
dane_to address.test "rtls - message"
# The key rolls over: the new certificate is announced beside the old one, then shown, then the old one goes.
rm "$POSTERN_HOME/control/destinations"
certificate next ca 30 mx.ok.test
zone_is() {  # TLSA-DATA…: ok.test has these
  kill "$NSD"
  wait "$NSD" 2> /dev/null
  sed -i '/ok\.test\. .*DNSKEY/d' "$T/anchors"
  one_host ok.test 127.0.0.2 "$@"
  cp "$T/anchors" "$POSTERN_HOME/control/trustanchors"
  start_nsd
}
zone_is "$(tlsa right 3 1 1)" "$(tlsa next 3 1 1)"
dane_to ok.test "rtls mx.ok.test message"
kill "$RIGHT"
wait "$RIGHT" 2> /dev/null
dane_server 2 next
servers_saw > /dev/null
dane_to ok.test "rtls mx.ok.test message"
zone_is "$(tlsa next 3 1 1)"
dane_to ok.test "rtls mx.ok.test message"
zone_is "$(tlsa right 3 1 1)"
dane_to ok.test "stls mx.ok.test"
