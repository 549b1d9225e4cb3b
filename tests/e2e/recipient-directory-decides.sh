#!/bin/bash
# R22, R23, O03: recipients by a real directory, over SMTP: asked where there is control/ldap, behind recipient table, domain map and aliases,
# of strangers' mail alone; a listener's own query; what counts as trying out addresses; trouble as the settings say; each step explained.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/ldap.sh"
[ -x "$B/postern-hat" ] || skip "there is no Host Access Table"
make_signatures
make_instance --local home.example --user alice --clamdb "$T/clamdb"
C=$POSTERN_HOME/control
printf '%s\n' 127.0.0.9:allow,RELAYCLIENT='""' :allow > "$C/tcp.smtp"
tcprules "$C/tcp.smtp.cdb" "$T/tcp.tmp" < "$C/tcp.smtp" || fail tcprules
chmod 644 "$C/tcp.smtp.cdb"
printf '%s\n' 'TIGHT ACCEPT max_invalid_recipients=3' 'OPEN ACCEPT max_invalid_recipients=0' > "$C/policies"
printf '%s\n' 'TIGHTLIST:' '    127.0.0.2-5' '    $TIGHT' 'ALL: $OPEN' > "$C/hat"
"$B/postern-hat" compile > "$T/compile" 2>&1 || { cat "$T/compile"; fail "postern-hat compile"; }
printf '%s\n' example.org ad.example >> "$C/rcpthosts"
echo '@old.example @example.org' > "$C/domainmap"
printf '%s\n' '[example.org]' 'team: alice@example.org, gone@example.org, x@far.example' 'ghosts: gone@example.org, lost@example.org' > "$C/aliases"
"$B/postern-rcpt" compile > "$T/compile" 2>&1 || fail "compile: $(cat "$T/compile")"
LDAP_PORT=$(free_port)
make_directory main
start_slapd main "$LDAP_PORT"
ldap_password
[ "$(id -u)" != 0 ] || chown posternx "$POSTERN_HOME/secrets/posternx/main"
settings() {
  ldap_control << S
server main
uri ldap://127.0.0.1:$LDAP_PORT
tls off
bind cn=postern,$LDAP_BASE
password main
base ou=people,$LDAP_BASE
age 0
negative-age 0
connect-timeout 2
timeout 2
retry 1
$(printf '%s\n' "$@")
S
}
accept_queries=('query people accept main' 'query adpeople accept main' 'base ou=ad,dc=example,dc=org' 'filter (|(mail={a})(proxyAddresses=smtp:{a}))'
  'query strangers accept main' 'filter (&(mail={a})(!(mail={f})))' 'chain everybody accept' 'try people' 'try adpeople' 'active everybody')
settings "${accept_queries[@]}"
run_instance
rcpt() { python3 "$TESTS/rcpt.py" "$PORT" "$@"; }
codes() { rcpt "$@" | cut -d' ' -f1-2 | tr '\n' ' '; }
as_smtpd() { if [ "$(id -u)" = 0 ]; then setuidgid posternd "$@"; else "$@"; fi; }
explained() { as_smtpd "$B/postern-rcpt" test "$@" > "$T/test"; expect_equal $? "$EXPECTED" "postern-rcpt test $*"; }

expect_equal "$(rcpt alice@example.org nobody@example.org e.e@ad.example e.f@ad.example a@elsewhere.example postmaster)" \
"250 2.1.5 recipient ok
550 5.1.1 no mailbox here by that name
250 2.1.5 recipient ok
550 5.1.1 no mailbox here by that name
550 5.7.1 relaying denied: that domain is not ours
250 2.1.5 recipient ok"
wait_for 30 logged smtpd 'To: <nobody@example.org> decided by ldap: everybody \(control/ldap line 18\): none of its queries finds an entry'
expect_not_in "$T/main.log" 'elsewhere|postmaster'
EXPECTED=100 explained nobody@old.example
in_order "$T/test" '^domain-map: rewrites .*nobody@example.org' '^recipient-table: passes' '^alias: passes' '^local-users: passes' '^recipient-program: passes' \
  '^ldap: 550 5.1.1 .*\(everybody \(control/ldap line 18\)'
EXPECTED=0 explained alice@example.org
in_order "$T/test" '^ldap: passes \(people \(control/ldap line 12\) finds uid=alice,' '^call-ahead: '
# What an alias comes to: those that are there, and who is elsewhere is not asked about.
EXPECTED=0 explained team@old.example
expect_equal "$(grep ^recipient: "$T/test" | tr '\n' ' ')" 'recipient: alice@example.org recipient: x@far.example '
expect_in "$T/test" '^ldap: rewrites \(gone@example.org is left out'
expect_in "$T/test" '^ldap: passes \(not ours\)'
expect_equal "$(codes team@old.example ghosts@example.org)" "250 2.1.5 550 5.1.1 "
expect_not_in "$T/main.log" 'far\.example'
# Who may relay is not looked up; a listener may ask by its own query, which knows the sender, or nobody.
expect_equal "$(codes --from 127.0.0.9 nobody@example.org)" "250 2.1.5 "
echo 'smtpd ldap_query=strangers' > "$C/recipientchecks"
expect_equal "$(codes --sender alice@example.org alice@example.org) $(codes alice@example.org e.e@ad.example)" "550 5.1.1  250 2.1.5 550 5.1.1 "
echo 'smtpd ldap_query=missing' > "$C/recipientchecks"
expect_equal "$(codes alice@example.org)" "451 4.3.0 "
expect_in <("$B/postern-showctl") 'problem: .*control/ldap has no query missing of the kind accept'
echo 'smtpd ldap=off' > "$C/recipientchecks"
expect_equal "$(codes nobody@example.org)" "250 2.1.5 "
printf '%s\n' 'nobody@example.org ACCEPT bypass=ldap' 'example.org ACCEPT' > "$C/rat"
echo 'DEFAULT users=on' > "$C/recipientchecks"
"$B/postern-rcpt" compile > "$T/compile" 2>&1 || fail "compile: $(cat "$T/compile")"
expect_equal "$(codes nobody@example.org nobody2@example.org)" "250 2.1.5 550 5.1.1 "
rm "$C/rat" "$C/rat.cdb"

# Trying out addresses.
many=(a b c d e f)
many=("${many[@]/%/@example.org}")
expect_equal "$(codes --from 127.0.0.2 "${many[@]}")" "550 5.1.1 550 5.1.1 550 5.1.1 421 4.7.1 "
expect_equal "$(codes --from 127.0.0.2 z@example.org)" "421 4.7.1 "
expect_equal "$(codes --from 127.0.0.3 z@example.org)" "550 5.1.1 "

# No server answers. Nobody is counted for that.
stop_slapd
expect_equal "$(codes --from 127.0.0.4 "${many[@]}")" "451 4.3.0 451 4.3.0 451 4.3.0 451 4.3.0 451 4.3.0 451 4.3.0 "
EXPECTED=111 explained alice@example.org
expect_in "$T/test" '^ldap: 451 4.3.0 .*ldap://127.0.0.1'
echo 'DEFAULT ldap_trouble=refuse' > "$C/recipientchecks"
expect_equal "$(codes --from 127.0.0.4 "${many[@]}")" "550 5.4.3 550 5.4.3 550 5.4.3 550 5.4.3 550 5.4.3 550 5.4.3 "
expect_equal "$(codes --from 127.0.0.4 a@elsewhere.example)" "550 5.7.1 "
echo 'DEFAULT ldap_trouble=accept' > "$C/recipientchecks"
expect_equal "$(codes alice@example.org)" "250 2.1.5 "
echo 'DEFAULT users=on' > "$C/recipientchecks"
settings 'away accept' "${accept_queries[@]}"
expect_equal "$(codes alice@example.org)" "250 2.1.5 "
EXPECTED=0 explained alice@example.org
expect_in "$T/test" '^ldap: passes \(taken unseen, as control/ldap has it: '
settings 'away 450 4.4.3 our directory rests' "${accept_queries[@]}"
expect_equal "$(rcpt alice@example.org)" "450 4.4.3 our directory rests"
start_slapd main "$LDAP_PORT"
known() { codes nobody@example.org alice@example.org | sees '^550 5.1.1 250 2.1.5 $'; }
wait_for 30 known
# Postern's own part is away.
stop_service ldapq
expect_equal "$(codes alice@example.org)" "451 4.3.0 "
wait_for 30 logged smtpd 'unable to ask @ldapq about a recipient'
start_service ldapq
wait_for 30 known

# Several queries and none that counts is a fault that is told; a directory for other questions says nothing of recipients.
settings 'query people accept main' 'query others accept main'
expect_equal "$(codes alice@example.org)" "451 4.3.0 "
expect_in <("$B/postern-showctl") 'problem: .*control/ldap: it has several queries of the kind accept'
settings 'query login smtpauth main'
expect_equal "$(codes nobody@example.org)" "250 2.1.5 "
EXPECTED=0 explained nobody@example.org
expect_in "$T/test" '^ldap: passes \(control/ldap has no query of the kind accept'
rm "$C/ldap"
EXPECTED=0 explained nobody@example.org
expect_in "$T/test" '^ldap: passes \(off: there is no control/ldap\)'
expect_equal "$(codes nobody@example.org)" "250 2.1.5 "
exit 0
