# For tests that ask directories: a slapd of our own on loopback, with entries as OpenLDAP and as Active Directory have them.
# make_directory NAME [LDIF-FILE]: its database in $T/NAME; start_slapd NAME PORT [more listeners]: its log, a line for each search and bind,
# is $T/NAME.log and $SLAPD its process. Its certificate by the CA $T/ca.pem is for 127.0.0.1 (libldap
# takes "localhost" in a URI for the machine's own name); TLS_NAME=elsewhere.example makes it another's.
# ldapq VERB…: the program by hand; asked NAME: how many searches its log has.

LDAP_BASE=dc=example,dc=org

ldap_certificates() {
  [ -f "$T/ca.pem" ] && return
  (
    cd "$T" || exit 1
    openssl req -x509 -newkey rsa:2048 -nodes -days 3 -keyout ca.key -out ca.pem -subj '/CN=Test CA' 2> /dev/null
    openssl req -x509 -newkey rsa:2048 -nodes -days 3 -keyout other-ca.key -out other-ca.pem -subj '/CN=Other CA' 2> /dev/null
    for name in localhost elsewhere.example; do
      openssl req -newkey rsa:2048 -nodes -keyout "$name.key" -out "$name.csr" -subj "/CN=$name" 2> /dev/null
      printf 'subjectAltName=DNS:%s%s\n' "$name" "$([ $name = elsewhere.example ] || echo ,IP:127.0.0.1)" > "$name.ext"
      openssl x509 -req -days 3 -in "$name.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -extfile "$name.ext" -out "$name.pem" 2> /dev/null
    done
  )
}

ldap_entries() {
  cat << L
dn: $LDAP_BASE
objectClass: dcObject
objectClass: organization
o: Example
dc: example

dn: cn=postern,$LDAP_BASE
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: postern
userPassword: letmein

dn: ou=people,$LDAP_BASE
objectClass: organizationalUnit
ou: people

dn: uid=alice,ou=people,$LDAP_BASE
objectClass: inetOrgPerson
objectClass: inetLocalMailRecipient
uid: alice
cn: Alice
sn: A
mail: alice@example.org
mailLocalAddress: alice@example.org
mailHost: store1.example.org
mailRoutingAddress: alice@store.example.org
userPassword: wonderland

dn: uid=bob,ou=people,$LDAP_BASE
objectClass: inetOrgPerson
objectClass: inetLocalMailRecipient
uid: bob
cn: Bob
sn: B
mail: bob@example.org
mailLocalAddress: bob@example.org
mailHost: 192.0.2.1
userPassword: builder

dn: uid=carol,ou=people,$LDAP_BASE
objectClass: inetOrgPerson
objectClass: inetLocalMailRecipient
uid: carol
cn: Carol
sn: C
mail: carol@example.org
mailLocalAddress: carol@example.org
mailRoutingAddress: carol@far.example

dn: uid=dave,ou=people,$LDAP_BASE
objectClass: inetOrgPerson
objectClass: inetLocalMailRecipient
uid: dave
cn: Dave
sn: D
mail: dave@example.org
mail: o(ne)*two\\x@example.org
mailLocalAddress: dave@example.org
mailHost: store2.example.org

dn: cn=staff,$LDAP_BASE
objectClass: groupOfNames
cn: staff
member: uid=alice,ou=people,$LDAP_BASE

dn: ou=ad,$LDAP_BASE
objectClass: organizationalUnit
ou: ad

dn: cn=Erin E.,ou=ad,$LDAP_BASE
objectClass: inetOrgPerson
objectClass: testADPerson
cn: Erin E.
sn: E
sAMAccountName: erin
mail: erin@ad.example
proxyAddresses: SMTP:erin@ad.example
proxyAddresses: smtp:e.e@ad.example
proxyAddresses: X400:c=us;a= ;p=Example
memberOf: cn=vips (all),ou=ad,$LDAP_BASE
userPassword: aerin

dn: cn=twin1,ou=ad,$LDAP_BASE
objectClass: inetOrgPerson
objectClass: testADPerson
cn: twin1
sn: T
sAMAccountName: twin
mail: twin@ad.example
userPassword: same

dn: cn=twin2,ou=ad,$LDAP_BASE
objectClass: inetOrgPerson
objectClass: testADPerson
cn: twin2
sn: T
sAMAccountName: twin
mail: twin@ad.example
userPassword: same

L
}

make_directory() {
  need slapd slapadd openssl
  ldap_certificates
  local certificate=${TLS_NAME:-localhost}
  mkdir -p "$T/$1"
  cat > "$T/ad.schema" << 'S'
attributetype ( 1.3.6.1.4.1.4203.666.1.1 NAME 'sAMAccountName' EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.3.6.1.4.1.4203.666.1.2 NAME 'proxyAddresses' EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.3.6.1.4.1.4203.666.1.3 NAME 'memberOf' EQUALITY distinguishedNameMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.12 )
objectclass ( 1.3.6.1.4.1.4203.666.1.4 NAME 'testADPerson' SUP top AUXILIARY MAY ( sAMAccountName $ proxyAddresses $ memberOf ) )
S
  {
    printf 'include /etc/ldap/schema/%s.schema\n' core cosine inetorgperson misc
    cat << C
include $T/ad.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile $T/$1/pid
argsfile $T/$1/args
threads 4
defaultsearchbase "$LDAP_BASE"
TLSCertificateFile $T/$certificate.pem
TLSCertificateKeyFile $T/$certificate.key
${SLAPD_CONFIG:-}
database mdb
maxsize 268435456
suffix "$LDAP_BASE"
rootdn "cn=root,$LDAP_BASE"
rootpw root
directory $T/$1
index objectClass eq
index uid,mail,mailLocalAddress,sAMAccountName,proxyAddresses,member eq
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=postern,$LDAP_BASE" read ${SLAPD_READERS:-by * none}
C
  } > "$T/$1.conf"
  { ldap_entries; [ -z "${2:-}" ] || cat "$2"; } > "$T/$1.ldif"
  slapadd -q -f "$T/$1.conf" -l "$T/$1.ldif" > "$T/$1.slapadd" 2>&1 || { cat "$T/$1.slapadd"; fail "slapadd"; }
}

start_slapd() {
  local name=$1 port=$2
  shift 2
  start "$name" slapd -d 256 -f "$T/$name.conf" -h "ldap://127.0.0.1:$port $*"
  SLAPD=$LAST_PID
  wait_for 30 listening "$port"
}
stop_slapd() {
  kill "${1:-$SLAPD}"
  wait "${1:-$SLAPD}" 2> /dev/null
  return 0
}
asked() { grep -c ' SRCH base=' "$T/$1.log"; }

# The password of the server's account; ldap_control < LINES: control/ldap, all at once.
ldap_password() {
  mkdir -p "$POSTERN_HOME/secrets/posternx"
  (umask 077; echo letmein > "$POSTERN_HOME/secrets/posternx/main")
}
ldap_control() {
  cat > "$POSTERN_HOME/control/ldap.new"
  mv "$POSTERN_HOME/control/ldap.new" "$POSTERN_HOME/control/ldap"
}
ldapq() { "$B/postern-ldapq" "$@"; }
# answers CODE OUTPUT-PATTERN ARGUMENT…
answers() {
  local code=$1 pattern=$2 got=0
  shift 2
  ldapq "$@" > "$T/answer" 2> "$T/answer.log" < /dev/null || got=$?
  [ $got = "$code" ] || { cat "$T/answer" "$T/answer.log"; fail "$*: exit code $got, expected $code"; }
  [ -z "$pattern" ] || expect_in "$T/answer" "$pattern"
}
# tries CODE PASSWORD ARGUMENT…: bind, with a password.
tries() {
  local code=$1 password=$2 got=0
  shift 2
  printf %s "$password" | ldapq bind "$@" > "$T/answer" 2> "$T/answer.log" || got=$?
  [ $got = "$code" ] || { cat "$T/answer" "$T/answer.log"; fail "bind $* '$password': exit code $got, expected $code"; }
}
# start_ldapq: the resident, $LDAPQ its process; ask_ldapq CODE VERB ARGUMENT…: the exit code that it has to answer with.
start_ldapq() {
  start ldapq "$B/postern-bind" ldapq "$(id -un)" "$B/postern-ldapq" --serve --workers "${1:-4}"
  LDAPQ=$LAST_PID
  wait_for 30 test -S "$POSTERN_HOME/run/ldapq"
}
ask_ldapq() {
  local code=$1 got=0
  shift
  "$TESTS/ask.py" ldapq -- "$@" > "$T/answer" || got=$?
  [ $got = "$code" ] || { cat "$T/answer"; tail -n 20 "$T/ldapq.log"; fail "$*: exit code $got, expected $code"; }
}
