#!/bin/bash
# once: the users do not matter to it
# postern-ldapq asks a real slapd: acceptance, routing, masquerading, groups and passwords, by entries as OpenLDAP and as Active Directory
# have them; chains and queries by domain; and hostile addresses stay values.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/ldap.sh"
make_home
PORT=$(free_port)
make_directory main
start_slapd main "$PORT"
ldap_password
ldap_control << C
server main
uri ldap://127.0.0.1:$PORT
tls off
bind cn=postern,$LDAP_BASE
password main
base ou=people,$LDAP_BASE
server ad
uri ldap://127.0.0.1:$PORT
tls off
type ad
bind cn=postern,$LDAP_BASE
password main
base ou=ad,$LDAP_BASE

query people accept main
query adpeople accept ad
query whole accept main
base NONE
filter (mail={a})
query noplace accept main
base ou=nowhere,$LDAP_BASE
query named accept main
filter (&(objectClass=inetOrgPerson)(uid={u})(mail=*@{d}))
query sender accept main
filter (&(mail={a})(!(mail={f})))
chain everybody accept
try people
try adpeople
chain broken accept
try noplace
try adpeople
domains bydomain accept
domain example.org people
domain .ad.example people
domain ad.example adpeople
otherwise no
active everybody

query route routing main
filter (mailLocalAddress={a})
host-attribute mailHost
address-attribute mailRoutingAddress
query front masquerade main
filter (mailLocalAddress={a})
address-attribute mailRoutingAddress
query adgroup group ad
filter (&(memberOf={g})(proxyAddresses=smtp:{a}))
query staff group main
base $LDAP_BASE
dn-filter (mail={a})
filter (&(objectClass=groupOfNames)(cn={g})(member={dn}))
query login smtpauth main
query adlogin isqauth ad
address-attribute proxyAddresses
active adgroup
query primary isqalias ad
filter (proxyAddresses=smtp:{a})
address-attribute mail
C
# Acceptance.
answers 0 '^people \(control/ldap line [0-9]+\) finds uid=alice,ou=people' accept alice@example.org s@x.example
answers 0 '' accept ALICE@EXAMPLE.ORG s@x.example
answers 0 '^adpeople .*finds cn=Erin E' accept e.e@ad.example s@x.example
answers 1 '' accept nobody@example.org s@x.example
answers 0 '' accept alice@example.org s@x.example whole
answers 0 '' accept alice@example.org s@x.example named
answers 1 '' accept alice s@x.example named
answers 0 '' accept alice@example.org s@x.example sender
answers 1 '' accept alice@example.org alice@example.org sender
answers 0 '' accept alice@example.org '' sender
# By domain.
answers 0 '' accept e.e@ad.example s@x.example bydomain
answers 1 '' accept e.e@sub.ad.example s@x.example bydomain
answers 1 'has no query for this domain' accept x@other.example s@x.example bydomain
# A base that is not there is no "no", in a chain neither; but a later yes counts.
answers 111 '^defer	noplace .*No such object' accept alice@example.org s@x.example noplace
answers 111 '^defer	noplace' accept nobody@ad.example s@x.example broken
answers 0 '' accept e.e@ad.example s@x.example broken
answers 111 'has no query nothing' accept alice@example.org s@x.example nothing
answers 111 'is not of the kind' accept alice@example.org s@x.example route
# Hostile addresses: none is anybody's, but the one that an entry has.
for address in '*' '*@example.org' 'alice@example.org)(uid=*' '*)(|(mail=*' 'a*)(objectClass=*)' ')' '(' '\' '\2a' 'x\00y' $'\xff\xfe@example.org' \
  'alice@example.org))(&(uid=*' 'alice@example.org)(mail=*))(|(mail=*' ' alice@example.org*' "$(printf 'a%.0s' {1..2000})@example.org"; do
  answers 1 '' accept "$address" s@x.example people
  answers 1 '' accept "$address" s@x.example named
  answers 1 '' group e.e@ad.example "$address"
  tries 1 wonderland "${address//@/}" login
done
answers 0 '' accept 'o(ne)*two\x@example.org' s@x.example people
answers 1 '' accept '@example.org' s@x.example named
answers 0 '' accept alice@example.org '*' sender
# Routing: a host by name, an address, both; an address as host is told and goes nowhere.
answers 0 '^store1\.example\.org	alice@store\.example\.org$' route alice@example.org
answers 0 '^	carol@far\.example$' route carol@example.org
answers 0 '^store2\.example\.org	dave@example\.org$' route dave@example.org
answers 111 'is "192\.0\.2\.1", which is no host name' route bob@example.org
answers 1 '' route nobody@example.org
# Masquerading, aliases.
answers 0 '^alice@store\.example\.org$' masquerade alice@example.org
answers 1 '' masquerade dave@example.org
answers 0 '^erin@ad\.example$' alias e.e@ad.example
# Groups: by memberOf, and by the entry's name.
answers 0 '' group e.e@ad.example "cn=vips (all),ou=ad,$LDAP_BASE"
answers 1 '' group e.e@ad.example "cn=others,ou=ad,$LDAP_BASE"
answers 0 '' group alice@example.org staff staff
answers 1 '' group dave@example.org staff staff
answers 1 '' group alice@example.org '' staff
# Passwords; an empty one is nobody's, whatever the server thinks of it.
tries 0 wonderland alice login
tries 1 builder alice login
tries 1 '' alice login
tries 1 wonderland nobody login
tries 0 aerin erin adlogin
expect_equal "$(cat "$T/answer")" "erin@ad.example
e.e@ad.example" "the addresses of who logs in"
tries 111 same twin adlogin
expect_in "$T/answer" '^defer	adlogin .*several entries'
expect_equal "$(grep -c 'BIND dn="uid=alice,.*method=128' "$T/main.log")" 2 "passwords of alice that were tried"
# What it does, step by step.
answers 0 '' --test bydomain alice@example.org
in_order "$T/answer" '^domains bydomain: for example.org people$' "^query people, accept, control/ldap line [0-9]+\$" '^filter \(mail=alice@example\.org\)$' \
  "^base ou=people,$LDAP_BASE, scope sub\$" "^server main, ldap://127\.0\.0\.1:$PORT\$" '^entry uid=alice,ou=people' '^result yes: '
answers 0 '^  mailHost: store1\.example\.org$' --test routing alice@example.org
answers 1 '^no entry$' --test people nobody@example.org
answers 0 '^gives erin@ad\.example$' --test adlogin erin
answers 0 '' --test adgroup e.e@ad.example "cn=vips (all),ou=ad,$LDAP_BASE"
# Settings: what is broken names its line; without any, nothing is known.
chmod 644 "$POSTERN_HOME/secrets/posternx/main"
answers 111 '^defer	read the password .*others may read it' accept alice@example.org s@x.example
echo 'server main' | ldap_control
answers 111 '^defer	read control/ldap line 1: the server main has no line uri' accept alice@example.org s@x.example
rm "$POSTERN_HOME/control/ldap"
answers 111 '^defer	there is no control/ldap' accept alice@example.org s@x.example
exit 0
