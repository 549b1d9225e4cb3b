#!/bin/bash
# The resident takes messages from its clients and shows the store to its owner and its operators alone; who may not write
# the store asks it.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/quarantine.sh"
need python3
make_store
mail_file served
me=$(id -u)
start quarantine "$B/postern-bind" quarantine "$(id -un)" "$B/postern-quarantine" --serve --workers 2
wait_for 30 test -S "$POSTERN_HOME/run/quarantine"
ask() { python3 "$TESTS/ask.py" quarantine "$@"; }

ask POSTERN_MID=482 POSTERN_DIRECTION=in "0<$T/mail" "3<$T/envelope" -- put Virus Eicar
expect_equal $? 0 "put"
expect_in "$T/quarantine.log" '^Info: MID 482 quarantined to "Virus" \(Eicar\)$'
expect_equal "$(quarantine list | cut -f1,2)" "482${TAB}Virus" "stored"
ask "4>$T/list" -- list && expect_equal "$(cut -f1 "$T/list")" 482 "list through the resident"
expect_equal "$(ask -- list | cut -f1)" 482 "list in the reply"
ask "4>$T/shown" -- show 482 && cmp "$T/mail" "$T/shown" || fail "show through the resident"
ask -- show 482 | cmp - "$T/mail" || fail "show in the reply"
ask -- show 483; expect_equal $? 100 "show of an unknown message"
ask -- release 482; expect_equal $? 100 "a release through the resident"
expect_in "$T/quarantine.log" 'a release runs in a process of its own'
ask "0<$T/mail" -- put Virus x; expect_equal $? 91 "no envelope"

# Larger than a reply.
{ cat "$T/mail"; head -c 300000 /dev/urandom; } > "$T/large"
ask POSTERN_MID=485 "0<$T/large" "3<$T/envelope" -- put Virus large || fail "put of a large message"
ask -- show 485 > "$T/shown"; expect_equal $? 100 "large, without descriptor 4"
ask "4>$T/shown" -- show 485 && cmp "$T/large" "$T/shown" || fail "show of a large message"

# A client that has gone: nothing is committed for it.
python3 - "$T" <<'P'
import array, os, socket, sys
t = sys.argv[1]
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect(os.environ["POSTERN_HOME"] + "/run/quarantine")
r, w = os.pipe()
words = b"put\0Virus\0gone\0" + b"POSTERN_MID=499\0\0" + bytes([0, 3])
s.sendmsg([b"\x01\x03\x00" + words], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [r, os.open(t + "/envelope", os.O_RDONLY)]))])
s.close()
os.write(w, b"Subject: gone\n\n")
os.close(w)
P
wait_for 30 grep -q 'the client has gone' "$T/quarantine.log"
expect_equal "$(quarantine list | cut -f1)" "482
485" "after a client that has gone"

if [ "$me" = 0 ]; then
  # As another user: its put is taken, the rest is not for it.
  kill "$LAST_PID"
  gone() { ! kill -0 "$LAST_PID"; }
  wait_for 30 gone
  rm "$POSTERN_HOME/run/quarantine"
  chmod 755 "$T" "$POSTERN_HOME" "$POSTERN_HOME/run"
  # The store belongs to one user, its client is another; root itself becomes the first.
  chown -R 65533:65533 "$POSTERN_HOME/quarantine" "$POSTERN_HOME/db/quarantine"
  quarantine delete 485 || fail "delete as root: exit $?: $(cat "$T/log")"
  start second "$B/postern-bind" quarantine root "$B/postern-quarantine" --serve --clients 65532,65531 --trust 65532 --operators 65531
  wait_for 30 test -S "$POSTERN_HOME/run/quarantine"
  chmod 666 "$POSTERN_HOME/run/quarantine"
  as() { setpriv --reuid="$1" --regid="$1" --clear-groups env POSTERN_HOME="$POSTERN_HOME" "${@:2}"; }
  chmod 644 "$T/mail" "$T/envelope"
  as 65532 POSTERN_MID=600 "$B/postern-quarantine" put Virus client < "$T/mail" 3< "$T/envelope" || fail "put as a client: exit $?"
  expect_in "$T/second.log" 'MID 600 quarantined to "Virus" \(client\)'
  as 65532 "$B/postern-quarantine" list > "$T/list" 2> "$T/log"; expect_equal $? 100 "list as a client"
  expect_equal "$(cat "$T/list")" "" "list as a client"
  as 65532 "$B/postern-quarantine" delete 600 2> "$T/log"; expect_equal $? 100 "delete as a client"
  as 65531 "$B/postern-quarantine" list > "$T/list" || fail "list as an operator"
  expect_equal "$(cut -f1 "$T/list")" "482
600" "list as an operator"
  as 65531 "$B/postern-quarantine" show 600 | cmp - "$T/mail" || fail "show as an operator"
  as 65530 "$B/postern-quarantine" list 2> "$T/log"; expect_equal $? 111 "list as a stranger"
  expect_equal "$(find "$POSTERN_HOME/quarantine" "$POSTERN_HOME/db/quarantine" ! -user 65533 | wc -l)" 0 "files of another user in the store"
fi
exit 0
