#!/bin/bash
# once: the users do not matter to it
# control/authcheck: programs of the checkpassword interface, residents asked as ldapq is, in their order; one that cannot tell is a
# temporary failure unless another says yes.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/auth.sh"
need python3 tcpserver
start_instance
add_user alice pencil
submission auth=preferred auth_without_tls=on
# A checker as others write them: reads descriptor 3 to its end, and runs its arguments.
cat > "$T/checker" << 'C'
#!/usr/bin/python3
import os, sys
user, password, stamp, rest = os.fdopen(3, "rb").read().split(b"\0")
assert stamp.isdigit() and rest == b"" and os.environ["TCPREMOTEIP"].startswith("127.0.0.")
if user == b"down": sys.exit(111)
if user == b"three": sys.exit(3)
if user == b"misused": sys.exit(100)
if user == b"killed": os.kill(os.getpid(), 9)
if sys.argv[1] != "an argument".split()[0] or user + b"!" != password: sys.exit(1)
os.environ["USER"] = user.decode()
os.execv(sys.argv[2], sys.argv[2:])
C
cat > "$T/ldap" << 'C'
#!/bin/sh
[ "$1" = bind ] && [ $# = 2 ] || exit 100
password=$(cat)
[ "$2" != away ] || exit 111
[ "$2:$password" = "erna:geheim" ]
C
chmod 755 "$T/checker" "$T/ldap"
CLIENT=$(id -u)
[ "$CLIENT" != 0 ] || CLIENT=$(id -u posterni)
start resident "$B/postern-serve" --clients "$CLIENT" run/teststub "$T/ldap"
wait_for 30 test -S "$POSTERN_HOME/run/teststub"
[ "$(id -u)" != 0 ] || chgrp postern "$POSTERN_HOME/run/teststub"
N=10
# Each from an address of its own: failures of one would make the others wait.
replies() { N=$((N + 1)); printf '%s %s %s\n' "$1" "$2" "$(login --from 127.0.0.$N "$1" "$2" | cut -c1-9)" >> "$T/replies"; }
echo "postern-checkpassword
# a comment
$T/checker an
@teststub" > "$POSTERN_HOME/control/authcheck"
for who in 'alice pencil' 'alice alice!' 'dora dora!' 'erna geheim' 'erna dora!' 'down x' 'away geheim' 'killed x' 'three x' 'misused misused!' 'away away!'; do
  replies ${who% *} ${who#* }
done
echo "@nobody-there
$T/checker an" > "$POSTERN_HOME/control/authcheck"
for who in 'dora dora!' 'dora x' 'alice pencil'; do replies ${who% *} ${who#* }; done
echo "$T/none" > "$POSTERN_HOME/control/authcheck"
replies dora dora!
cat > "$T/expected" << 'C'
alice pencil 235 2.7.0
alice alice! 235 2.7.0
dora dora! 235 2.7.0
erna geheim 235 2.7.0
erna dora! 535 5.7.8
down x 454 4.7.0
away geheim 454 4.7.0
killed x 454 4.7.0
three x 535 5.7.8
misused misused! 454 4.7.0
away away! 235 2.7.0
dora dora! 235 2.7.0
dora x 454 4.7.0
alice pencil 454 4.7.0
dora dora! 454 4.7.0
C
diff "$T/expected" "$T/replies" || fail "the replies"
"$B/postern-showctl" > "$T/showctl" && fail "showctl finds nothing wrong"
expect_in "$T/showctl" 'control/authcheck:1: .*/none" is no program'
expect_in "$T/showctl" 'SCRAM-SHA-256 is offered, and only users of postern-checkpassword have it'
# A shell that does not find the tool.
echo 'sh -c no-such-tool' > "$POSTERN_HOME/control/authcheck"
expect_equal "$(login --from 127.0.0.7 alice pencil | cut -c1-9)" '454 4.7.0' "a tool that is missing"
# A no counts although another could not tell, but does not lock out; where nobody could, nobody has guessed.
echo 2 > "$POSTERN_HOME/control/authfailures"
printf 'postern-checkpassword\n@nobody-there\n' > "$POSTERN_HOME/control/authcheck"
guess() { login --from 127.0.0.9 alice wrong | cut -c1-9; }
expect_equal "$(guess) $(guess)" '454 4.7.0 454 4.7.0' "a no and nobody"
echo postern-checkpassword > "$POSTERN_HOME/control/authcheck"
expect_equal "$(guess) $(guess)" '535 5.7.8 421 4.7.0' "a plain no behind them"
echo '@nobody-there' > "$POSTERN_HOME/control/authcheck"
expect_equal "$(login --from 127.0.0.8 alice wrong | cut -c1-9) $(login --from 127.0.0.8 alice wrong | cut -c1-9)" '454 4.7.0 454 4.7.0' nobody
