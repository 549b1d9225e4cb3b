#!/bin/bash
# once: the users do not matter to it
# MTA-STS: a policy counts only from the server that HTTPS vouches for, under its own name, at once, whole and as text. Whatever else
# comes is no policy, and the answer says why in the words of RFC 8460.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/tls.sh"
. "$TESTS/sts.sh"
make_sts_home
for name in good redirect missing long mode type html nodomain stall; do sts_domain $name.test 1 enforce mx.$name.test; done
make_certificate wrong 30 mta-sts.other.test
make_certificate expired -1 mta-sts.expired.test
make_certificate wild 30 '*.wild.test'
make_certificate deep 30 '*.test'
make_self_signed self mta-sts.self.test
for name in wrong expired wild deep self; do
  web_host mta-sts.$name.test $name
  set_id $name.test 1
  set_policy $name.test enforce mx.$name.test
done
www() { echo "$T/www/mta-sts.$1.test/$2"; }
echo 301 > "$(www redirect status)"
echo "Location: https://mta-sts.good.test:$HTTPS_PORT/.well-known/mta-sts.txt" > "$(www redirect headers)"
echo 404 > "$(www missing status)"
{ cat "$(www long body)"; head -c 65536 /dev/zero | tr '\0' '\n'; } > "$T/long"; cp "$T/long" "$(www long body)"
sed -i 's/enforce/strict/' "$(www mode body)"
echo "Content-Type: application/octet-stream" > "$(www type headers)"
echo "Content-Type: text/html" > "$(www html headers)"
sed -i '/mta-sts.nodomain/d' "$T/dns"
touch "$(www stall stall)"
# A port where nobody speaks TLS.
start_https

policy good.test
expect_equal "$(answer_line outcome)" found
policy wild.test
expect_equal "$(answer_line outcome)" found "a wildcard certificate"
bad() {  # DOMAIN RESULT WHY
  policy "$1.test"
  expect_equal "$(answer_line outcome)|$(answer_line result)" "failed|$2" "$1"
  answer_line why | sees -E -- "$3" || fail "$1: $(answer_line why)"
}
bad wrong sts-webpki-invalid 'subject|name|certificate'
bad expired sts-webpki-invalid expired
bad self sts-webpki-invalid 'self.signed|certificate'
bad deep sts-webpki-invalid 'subject|name|certificate'
bad redirect sts-policy-fetch-error 'status is 301'
bad missing sts-policy-fetch-error 'status is 404'
bad long sts-policy-fetch-error 'more than 65536 bytes'
bad mode sts-policy-invalid 'no mode'
bad type sts-policy-fetch-error application/octet-stream
bad html sts-policy-fetch-error text/html
set_id nodomain.test 1
bad nodomain sts-policy-fetch-error 'no address'
expect_equal "$(fetches good.test)" 1 "the redirect was followed"
expect_in "$T/stsd.log" '^Info: MTA-STS policy of mode.test not fetched: sts-policy-invalid: '
# Neither a proxy nor anything else of the environment is taken.
rm "$POSTERN_HOME/db/sts/good.test"
HTTPS_PROXY=http://127.0.0.1:1 ALL_PROXY=http://127.0.0.1:1 SSL_CERT_DIR=/nonexistent SSL_CERT_FILE=$T/self.crt policy good.test
expect_equal "$(answer_line outcome)" found
# An authority that the operator does not know is none.
mkdir "$T/nobody"
echo "$T/nobody" > "$POSTERN_HOME/control/tlscapath"
rm "$POSTERN_HOME/db/sts/good.test"
bad good sts-webpki-invalid certificate
echo "$T/authorities" > "$POSTERN_HOME/control/tlscapath"
# A server that never answers: another question for the same domain does not wait.
echo "postern-dnsq --dns $T/dns" > "$POSTERN_HOME/control/dnsq"
"$B/postern-stsd" policy stall.test > "$T/stalled" 2>> "$T/stsd.log" &
wait_for 30 sees "^mta-sts.stall.test GET" "$T/www/log"
policy stall.test
expect_equal "$(answer_line outcome)|$(answer_line why)" "pending|it is being fetched"
