#!/bin/bash
# once: the users do not matter to it
# Answers are kept for all workers together: the same question is put to the server once, yes or no, until its time is up, the settings
# change or SIGHUP comes. Passwords are tried each time, and neither a new user nor one that moved waits for what is kept.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/ldap.sh"
make_home
PORT=$(free_port)

make_directory main
start_slapd main "$PORT"
ldap_password
settings() {
  ldap_control << C
cache 100
server main
uri ldap://127.0.0.1:$PORT
tls off
bind cn=postern,$LDAP_BASE
password main
base ou=people,$LDAP_BASE
$(printf '%s\n' "$@")
query people accept main
query sender accept main
filter (&(mail={a})(!(mail={f})))
active people
query route routing main
filter (mailLocalAddress={a})
host-attribute mailHost
address-attribute mailRoutingAddress
query login smtpauth main
C
}
settings
start_ldapq 4
# Clients that hold their workers: each question goes to another one.
python3 - "$POSTERN_HOME/run/ldapq" << 'P' || fail "workers"
import socket, sys
held = []
for i in range(4):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(30)
    s.connect(sys.argv[1])
    held.append(s)
    for address, code in ((b"alice@example.org", 0), (b"nobody@example.org", 1)):
        s.send(b"\x01\x03\x00accept\0" + address + b"\0s@x.example\0\0")
        reply = s.recv(70000)
        assert reply[0] == code, (i, address, reply)
        s.send(b"\x01\x02\x00route\0" + address + b"\0\0")
        reply = s.recv(70000)
        assert reply[0] == code, (i, address, reply)
        assert code or reply[1:] == b"store1.example.org\talice@store.example.org\n", reply
P
expect_equal "$(asked main)" 4 "searches for two questions of each of two addresses"
# The sender is a part of the question only where the query asks for it.
ask_ldapq 0 accept alice@example.org other@x.example
expect_equal "$(asked main)" 4 "searches with another sender"
ask_ldapq 1 accept alice@example.org alice@example.org sender
ask_ldapq 0 accept alice@example.org other@x.example sender
expect_equal "$(asked main)" 6 "searches by sender"
# Passwords.
password() { local code=$1 got=0; printf %s "$2" > "$T/password"; shift 2; "$TESTS/ask.py" ldapq "0<$T/password" -- bind "$@" > "$T/answer" || got=$?; expect_equal "$got" "$code" "bind $*"; }
password 0 wonderland alice
password 0 wonderland alice
expect_equal "$(asked main)" 7 "searches for a user"
password 1 wrong alice
password 1 '' alice
password 0 wonderland alice
expect_equal "$(grep -c 'BIND dn="uid=alice,ou=people.* method=128' "$T/main.log")" 4 "passwords tried"
password 1 secret zoe
modify() { ldapmodify -x -H "ldap://127.0.0.1:$PORT" -D "cn=root,$LDAP_BASE" -w root > "$T/modify.log" 2>&1 || { cat "$T/modify.log"; fail ldapmodify; }; }
modify << L
dn: uid=zoe,ou=people,$LDAP_BASE
changetype: add
objectClass: inetOrgPerson
uid: zoe
cn: Zoe
sn: Z
mail: nobody@example.org
userPassword: secret
L
password 0 secret zoe
ask_ldapq 1 accept nobody@example.org s@x.example
modify << L
dn: uid=alice,ou=people,$LDAP_BASE
changetype: modrdn
newrdn: uid=alice+sn=A
deleteoldrdn: 0
L
password 0 wonderland alice
# SIGHUP begins anew, and so do other settings.
kill -HUP "$LDAPQ"
zoe() ( ask_ldapq 0 accept nobody@example.org s@x.example )
wait_for 30 zoe
before=$(asked main)
zoe
expect_equal "$(asked main)" "$before" "searches behind SIGHUP"
settings 'age 1' 'negative-age 0'
zoe
expect_equal "$(asked main)" $((before + 1)) "searches with other settings"
again() { zoe; [ "$(asked main)" -gt $((before + 1)) ]; }
wait_for 30 again
before=$(asked main)
ask_ldapq 1 accept nobody2@example.org s@x.example
ask_ldapq 1 accept nobody2@example.org s@x.example
expect_equal "$(asked main)" $((before + 2)) "searches where no is not kept"
# Settings that are broken change nothing, and are told.
echo nonsense | ldap_control
zoe
expect_in "$T/ldapq.log" '^Critical: postern-ldapq: unable to read the settings: read control/ldap line 1'
# A worker that is killed, again and again, leaves the others a cache that they can use.
settings
for _ in 1 2 3 4 5; do
  pkill -9 -P "$LDAPQ"
  wait_for 30 zoe
done
exit 0
