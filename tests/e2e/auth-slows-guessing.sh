#!/bin/bash
# Failures wait, are counted for the connection and for the address, and beyond control/authfailures nothing is asked any more: other
# addresses go on. A SIGHUP forgets nothing.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/auth.sh"
need python3 tcpserver
start_instance
add_user alice pencil
echo 3 > "$POSTERN_HOME/control/authfailures"
submission auth=preferred auth_without_tls=on
from() { login --from "$@" | cut -c1-9; }
[ "$(from 127.0.0.9 alice wrong)" = '535 5.7.8' ] || fail "the first"
[ "$(from 127.0.0.9 alice pencil)" = '235 2.7.0' ] || fail "the right one"
BEGUN=$(date +%s%N)
[ "$(from 127.0.0.9 nobody wrong)" = '535 5.7.8' ] || fail "the second"
[ $(($(date +%s%N) - BEGUN)) -ge 1000000000 ] || fail "the second did not wait"
[ "$(from 127.0.0.9 alice '')" = '535 5.7.8' ] || fail "the third"
[ "$(from 127.0.0.9 alice pencil)" = '421 4.7.0' ] || fail "beyond the limit"
svc -h "$POSTERN_HOME/service/authq"
[ "$(from 127.0.0.9 alice pencil)" = '421 4.7.0' ] || fail "after a SIGHUP"
[ "$(from 127.0.0.10 alice pencil)" = '235 2.7.0' ] || fail "another address"
expect_in "$T/submission.log" 'too many failures of this address'
echo 1 > "$POSTERN_HOME/control/authtries"
echo 0 > "$POSTERN_HOME/control/authfailures"
python3 - "$SUBMIT" << 'P' || fail "one try a connection"
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 60); f = s.makefile("rwb")
f.readline()
def say(line):
    f.write(line + b"\r\n"); f.flush()
say(b"EHLO c")
while f.readline()[3:4] == b"-": pass
say(b"AUTH PLAIN AGFsaWNlAHg=")
replies = [f.readline()[:9], f.readline()[:9], f.readline()]
print(replies)
sys.exit(replies != [b"535 5.7.8", b"421 4.7.0", b""])
P
