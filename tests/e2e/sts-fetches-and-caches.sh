#!/bin/bash
# once: the users do not matter to it
# MTA-STS (RFC 8461): a policy is fetched once, kept for max_age, fetched anew when its id changes and before it ends;
# while it holds, neither a server that is away nor a DNS record that is gone takes it away. What failed is not tried again at once.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/tls.sh"
. "$TESTS/sts.sh"
make_sts_home
sts_domain x.test 1 enforce mx.x.test '*.Hosting.test'
sts_domain none.test n1 none
MAX_AGE=0 sts_domain short.test s1 testing mx.short.test
MAX_AGE=99999999 sts_domain long.test l1 enforce mx.long.test
start_https

# Not from an inner address that is not allowed: the server has seen the look of start_https at most.
mv "$POSTERN_HOME/control/httpsinner" "$T/httpsinner"
policy x.test
expect_equal "$(answer_line outcome)|$(answer_line result)" "failed|sts-policy-fetch-error"
sees '127.0.0.2 is an inner address' "$T/answer" || fail "$(cat "$T/answer")"
[ "$(wc -l < "$T/www/log")" -le 1 ] || fail "spoke to an inner address: $(cat "$T/www/log")"
mv "$T/httpsinner" "$POSTERN_HOME/control/httpsinner"
rm "$POSTERN_HOME/db/sts/x.test"
policy X.test
expect_equal "$(answer_line outcome)|$(answer_line mode)|$(answer_line id)|$(answer_line mx)" "found|enforce|1|mx.x.test *.hosting.test"
expect_equal "$(answer_line max_age)" 604800
[ "$(answer_line left)" -gt 604700 ] || fail "left: $(answer_line left)"
policy x.test
expect_equal "$(answer_line mode)" enforce
expect_equal "$(fetches x.test)" 1 "fetches"

# A new id.
set_policy x.test testing mx2.x.test
policy x.test
expect_equal "$(answer_line mode)" enforce "without a new id"
set_id x.test 2
policy x.test
expect_equal "$(answer_line mode)|$(answer_line id)|$(answer_line mx)" "testing|2|mx2.x.test"
expect_equal "$(fetches x.test)" 2 "fetches"

# The other modes and ages.
policy none.test
expect_equal "$(answer_line outcome)|$(answer_line mode)|$(answer_line mx)" "found|none|"
policy long.test
expect_equal "$(answer_line max_age)" 31557600
policy short.test
expect_equal "$(answer_line mode)|$(answer_line max_age)" "testing|300"
echo "other.test A 127.0.0.3" >> "$T/dns"
policy other.test
expect_equal "$(answer_line outcome)" none
[ ! -e "$POSTERN_HOME/db/sts/other.test" ] || fail "a file for a domain without a policy"

# With the server away a policy that holds holds; the failure is told, and not repeated for minutes.
stop_https
set_id x.test 3
policy x.test
expect_equal "$(answer_line outcome)|$(answer_line id)|$(answer_line result)" "found|2|sts-policy-fetch-error"
start_https
policy x.test
expect_equal "$(answer_line id)" 2 "at once behind a failure"
expect_equal "$(fetches x.test)" 2 "fetches"
age_policy x.test 400
policy x.test
expect_equal "$(answer_line id)|$(answer_line result)" "3|"
expect_equal "$(fetches x.test)" 3 "fetches"

# The record is gone, or cannot be had.
set_id x.test
policy x.test
expect_equal "$(answer_line outcome)|$(answer_line id)" "found|3"
echo '_mta-sts.x.test TXT SERVFAIL' >> "$T/dns"
policy x.test
expect_equal "$(answer_line outcome)|$(answer_line id)" "found|3"
[ -n "$(answer_line why)" ] || fail "no word of the lookup that failed"
# Behind its end it is nothing any more.
age_policy x.test 604801
policy x.test
expect_equal "$(answer_line outcome)|$(answer_line id)" "failed|"
sed -i '/SERVFAIL/d' "$T/dns"
policy x.test
expect_equal "$(answer_line outcome)" none
set_id x.test 3
stop_https
policy x.test
expect_equal "$(answer_line outcome)|$(answer_line result)" "failed|sts-policy-fetch-error"
start_https

# The resident fetches anew what is a day old, or half its age, behind its answer: nobody waits for that.
age_policy x.test 700000
policy x.test
set_id x.test 3
age_policy x.test 90000
before=$(fetches x.test)
echo "postern-dnsq --dns $T/dns" > "$POSTERN_HOME/control/dnsq"
start stsd "$B/postern-bind" stsd "$(id -un)" "$B/postern-stsd" --serve --workers 2
wait_for 30 test -S "$POSTERN_HOME/run/stsd"
python3 "$TESTS/ask.py" stsd -- policy x.test > "$T/answer" || fail "the resident: $?"
expect_equal "$(answer_line outcome)|$(answer_line id)" "found|3"
fetched_again() { [ "$(fetches x.test)" -gt "$before" ]; }
wait_for 30 fetched_again
fresh() { [ "$(sed -n 's/^fetched //p' "$POSTERN_HOME/db/sts/x.test")" -gt $(($(date +%s) - 1000)) ]; }
wait_for 30 fresh
# No question.
python3 "$TESTS/ask.py" stsd -- policy ../x.test > /dev/null
expect_equal $? 100 "exit code of no question"
