#!/bin/bash
# control/authcheck names @ldapq: users log in with the password of their entry in a directory (a slapd of our own), and send as themselves;
# beside those of our own table. Nobody does with an empty password, one of another, or while the directory is away; then it is 454.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/auth.sh"
. "$TESTS/ldap.sh"
need python3 tcpserver
DIRECTORY=$(free_port)
make_instance --local example.org --user alice
echo none > "$POSTERN_HOME/control/stages"
make_directory people
start_slapd people "$DIRECTORY"
ldap_password
chown -R --reference="$POSTERN_HOME/secrets/posternx" "$POSTERN_HOME/secrets/posternx"
ldap_control << C
server main
uri ldap://127.0.0.1:$DIRECTORY
ca $T/ca.pem
bind cn=postern,$LDAP_BASE
password main
base ou=people,$LDAP_BASE
connect-timeout 2
timeout 2
retry 1
query login smtpauth main
query windows externalauth main
base ou=ad,$LDAP_BASE
filter (sAMAccountName={u})
C
echo @ldapq > "$POSTERN_HOME/control/authcheck"
echo PLAIN LOGIN > "$POSTERN_HOME/control/authmechanisms"
run_instance
submission auth=required auth_without_tls=on check_user=on
N=10
# reply USER PASSWORD: each from an address of its own, so that one's failures make nobody else wait.
reply() { N=$((N + 1)); login --from 127.0.0.$N "$1" "$2" | cut -c1-9; }
# expect CODE USER PASSWORD
expect() { expect_equal "$(reply "$2" "$3")" "$1" "$2 with '$3'"; }
YES='235 2.7.0' NO='535 5.7.8' LATER='454 4.7.0'
swaks --server "127.0.0.1:$SUBMIT" --quit-after EHLO > "$T/swaks" 2>&1
expect_in "$T/swaks" '250-AUTH PLAIN LOGIN$'
expect "$YES" alice wonderland
expect "$YES" ALICE wonderland
expect "$NO" alice Wonderland
expect "$NO" alice builder
expect "$NO" alice ''
expect "$NO" carol x # has no password
expect "$NO" nobody wonderland
expect "$NO" '*' wonderland
expect "$NO" 'alice)(uid=*' wonderland
expect "$NO" erin aerin # not there where this query looks
expect_in "$T/people.log" 'BIND dn="uid=alice,ou=people,dc=example,dc=org"'

send() { python3 "$TESTS/auth.py" send "$SUBMIT" "$@"; }
expect_equal "$(send alice wonderland alice@example.org alice@example.org 'From: alice@example.org' | cut -c1-9)" '250 2.0.0' "as herself"
expect_equal "$(send alice wonderland bob@example.org alice@example.org 'From: bob@example.org' | cut -c1-9)" '553 5.7.1' "as another"
delivered() { [ "$(mailbox alice | wc -l)" = 1 ]; }
wait_for 30 delivered

# Another query, and our own table first.
add_user dora pencil
printf '%s\n' postern-checkpassword '@ldapq windows' > "$POSTERN_HOME/control/authcheck"
expect "$YES" dora pencil
expect "$YES" erin aerin
expect "$NO" alice wonderland
expect "$LATER" twin same # two have this name: it is the directory that is wrong
expect "$NO" ' erin' aerin # directories do not see the blank; our rates would
"$B/postern-showctl" > "$T/showctl"
expect_not_in "$T/showctl" 'problem: .*auth'

# The directory is away: not a wrong password; whom our own table knows comes in.
stop_slapd
expect "$LATER" erin aerin
expect "$YES" dora pencil
start_slapd people "$DIRECTORY"
again() { [ "$(reply erin aerin)" = "$YES" ]; }
wait_for 30 again
for secret in wonderland aerin; do
  ! grep -rF -- "$secret" "$POSTERN_HOME/log" "$T/submission.log" || fail "a password in a log"
done
exit 0
