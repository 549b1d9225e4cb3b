#!/bin/bash
# needs: root
# One user cannot keep another from handing mail in: not with connections that ask nothing, not with requests that take long.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/inject.sh"
need python3
make_home
echo 4 > "$POSTERN_HOME/control/concurrencypickup"
start_pickup
printf 'Subject: x\n\nhello\n' > "$T/message"
as() { local uid=$1; shift; setpriv --reuid="$uid" --regid=65534 --clear-groups env -i PATH="$PATH" POSTERN_HOME="$POSTERN_HOME" USER=u "$@"; }
send_as() { as "$1" "$B/postern-sendmail" bob@far.example < "$T/message"; }

# Ten times what one may have waiting: those above are turned away, and the other user is served at once.
mkdir "$T/a"
chown 1001 "$T/a"
for i in $(seq 10); do start idle as 1001 python3 "$TESTS/pickup_clients.py" 100 "$T/a/$i"; done
turned_away() { [ "$(cat "$T"/a/*.closed 2> /dev/null | awk '{ n += $1 } END { print n + 0 }')" -ge 900 ]; }
wait_for 30 turned_away
send_as 1002 || fail "another user beside idle ones: $?"
number_kept 1
# Requests that hang in the scanner: half of the places are his, the rest of his wait, others go past them.
mkfifo "$T/wait"
chmod 666 "$T/wait"
: > "$T/held"
for i in 1 2 3 4 5 6; do { send_as 1003 > "$T/out.$i" 2>&1; echo $? > "$T/code.$i"; } & done
held() { [ "$(wc -l < "$T/held")" = "$1" ]; }
wait_for 30 held 2
mv "$T/wait" "$T/hung"
for uid in 1002 1004; do send_as $uid || fail "user $uid beside slow ones: $?"; done
held 2 || fail "more than half of the places for one user"
# They get their turns.
echo go > "$T/hung"  # to one, and the end of file to the other
codes() { [ "$(cat "$T"/code.? 2> /dev/null | grep -c '^0$')" = 6 ]; }
wait_for 30 codes
exit 0
