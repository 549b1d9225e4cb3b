#!/bin/bash
# postern-spf asks the instance's dnsq as smtpd does, run by root too; a dnsq that is away is a temperror.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/nsd.sh"
zone one.example <<'Z'
@ TXT "v=spf1 a:x1.one.example a:x2.one.example include:_spf.one.example -all exp=why.one.example"
x1 A 192.0.2.1
x2 A 192.0.2.2
_spf TXT "v=spf1 ip4:192.0.2.3"
why TXT "%{i} is not %{d}"
Z
start_nsd
make_instance --local home.example
echo none > "$POSTERN_HOME/control/stages"
echo "$DNS" > "$POSTERN_HOME/control/resolver"
run_instance
spf() { "$B/postern-spf" --helo mail.one.example --from a@one.example --ip "$@"; }
expect_equal "$(spf 192.0.2.3)" 'pass "include:_spf.one.example" of one.example matches'
expect_equal "$(spf 192.0.2.4)" $'fail "-all" of one.example matches\nexplanation: 192.0.2.4 is not one.example'
expect_equal "$(spf 192.0.2.4 --resolver "$DNS" | head -n 1)" 'fail "-all" of one.example matches' "asking itself"
expect_equal "$("$B/postern-spf" --ip 192.0.2.4 --helo mail.one.example)" 'none mail.one.example has no SPF record' "the HELO name"
printf 'one.example TXT "v=spf1 +all"\n' > "$T/dns"
expect_equal "$(spf 192.0.2.4 --dns "$T/dns")" 'pass "+all" of one.example matches'
spf > "$T/out" 2>&1
expect_equal $? 100 "no address"
echo @nobody > "$POSTERN_HOME/control/dnsq"
spf 192.0.2.4 > "$T/out"
expect_equal $? 111 "without dnsq"
expect_in "$T/out" '^temperror no DNS answer for one\.example$'
