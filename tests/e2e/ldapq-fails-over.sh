#!/bin/bash
# once: the users do not matter to it
# The servers of a list in order: one that is away, does not answer or has a certificate that is not its own is passed over, and comes into
# its own again; where none answers that is said, with what is to become of the mail, and is no "no".
. "$(dirname "$0")/../lib.sh"
. "$TESTS/ldap.sh"
make_home
FIRST=$(free_port)
SECOND=$(free_port)
make_directory first
start_slapd first "$FIRST" "ldap://127.0.0.2:$FIRST"
FIRST_PID=$SLAPD
make_directory second
start_slapd second "$SECOND"
SECOND_PID=$SLAPD
ldap_password
settings() {
  ldap_control << C
server main
uri ldap://127.0.0.1:$FIRST ldap://127.0.0.1:$SECOND
ca $T/ca.pem
bind cn=postern,$LDAP_BASE
password main
base ou=people,$LDAP_BASE
age 0
negative-age 0
connect-timeout 2
timeout 2
retry 1
query people accept main
query login smtpauth main
$*
C
}
settings
# StartTLS with a good certificate, by file and by directory.
answers 0 'people' accept alice@example.org s@x.example
expect_in "$T/first.log" 'STARTTLS'
expect_in "$T/first.log" 'TLS established'
mkdir "$T/cas"
cp "$T/ca.pem" "$T/cas/"
settings "server d
uri ldap://127.0.0.1:$FIRST
ca $T/cas
bind cn=postern,$LDAP_BASE
password main
query directory accept d
base ou=people,$LDAP_BASE
active people"
answers 0 '' accept alice@example.org s@x.example directory
# By another CA, for another name: refused, and no password was sent.
settings "server wrong
uri ldap://127.0.0.1:$FIRST
ca $T/other-ca.pem
bind cn=postern,$LDAP_BASE
password main
query wrongca accept wrong
base ou=people,$LDAP_BASE
server name
uri ldap://127.0.0.2:$FIRST
ca $T/ca.pem
bind cn=postern,$LDAP_BASE
password main
query wrongname accept name
base ou=people,$LDAP_BASE
active people"
binds=$(grep -c 'BIND dn="cn=postern' "$T/first.log")
answers 111 '^defer	wrongca .*begin TLS: Connect error \(.*certificate' accept alice@example.org s@x.example wrongca
answers 111 '^defer	wrongname .*begin TLS: .*name' accept alice@example.org s@x.example wrongname
expect_equal "$(grep -c 'BIND dn="cn=postern' "$T/first.log")" "$binds" "binds behind a wrong certificate"
settings
start_ldapq 1
ask_ldapq 0 accept alice@example.org s@x.example
expect_not_in "$T/second.log" 'SRCH'
# The first one is away: the second one answers, and nobody waits.
stop_slapd "$FIRST_PID"
ask_ldapq 0 accept alice@example.org s@x.example
ask_ldapq 1 accept nobody@example.org s@x.example
expect_in "$T/second.log" 'SRCH base="ou=people'
expect_in "$T/ldapq.log" "^Warning: postern-ldapq: unable to ask ldap://127.0.0.1:$FIRST: begin TLS: Can't contact LDAP server"
# It comes back.
start_slapd first "$FIRST" "ldap://127.0.0.2:$FIRST"
FIRST_PID=$SLAPD
back() ( ask_ldapq 0 accept alice@example.org s@x.example; grep -q "LDAP: ldap://127.0.0.1:$FIRST answers again" "$T/ldapq.log" )
wait_for 30 back
# Restarted between two questions: the connection is made anew, and nobody hears of it.
ask_ldapq 0 accept alice@example.org s@x.example
stop_slapd "$FIRST_PID"
start_slapd first "$FIRST" "ldap://127.0.0.2:$FIRST"
FIRST_PID=$SLAPD
lines=$(wc -l < "$T/ldapq.log")
before=$(asked second)
ask_ldapq 0 accept alice@example.org s@x.example
expect_equal "$(wc -l < "$T/ldapq.log")" "$lines" "what is told of a connection that was lost"
expect_equal "$(asked second)" "$before" "searches on the second server"
# One that hangs is passed over after its time.
kill -STOP "$FIRST_PID"
ask_ldapq 0 accept alice@example.org s@x.example
expect_in "$T/ldapq.log" "unable to ask ldap://127.0.0.1:$FIRST: no answer within 2 s"
# Both hang: that is trouble, and says so.
kill -STOP "$SECOND_PID"
ask_ldapq 111 accept alice@example.org s@x.example
expect_in "$T/answer" "^defer	people .*ldap://127.0.0.1:$FIRST: .*; ldap://127.0.0.1:$SECOND: "
ldap_control << C
server main
uri ldap://127.0.0.1:9
tls off
away accept
query people accept main
query g group main
filter (a={g})
C
ask_ldapq 111 accept alice@example.org s@x.example
expect_in "$T/answer" '^accept	people .*ldap://127\.0\.0\.1:9: '
ask_ldapq 111 group alice@example.org staff
expect_in "$T/answer" '^defer	g '
# A connection that was refused is no reason to ask again at once.
ask_ldapq 111 accept alice@example.org s@x.example
expect_in "$T/answer" 'it failed, and is left alone for'
kill -CONT "$FIRST_PID" "$SECOND_PID"
settings
alice() ( ask_ldapq 0 accept alice@example.org s@x.example )
wait_for 60 alice
exit 0
