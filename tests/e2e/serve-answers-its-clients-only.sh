#!/bin/bash
# A service answers the users of its list alone (SO_PEERCRED), and believes POSTERN_* and RELAYCLIENT only of those it trusts.
. "$(dirname "$0")/../lib.sh"
need python3
make_own_instance
cat > "$T/show" <<'C'
#!/bin/sh
env | grep -E '^(POSTERN_MID|POSTERN_AUTH|RELAYCLIENT|TCPREMOTEIP)=' | sort
C
chmod +x "$T/show"
me=$(id -u)
serve() {  # NAME OPTION…
  local name=$1; shift
  start "$name" "$B/postern-serve" --workers 1 "$@" "run/$name" "$T/show"
  wait_for 30 test -S "$POSTERN_HOME/run/$name"
}
ask() { python3 "$TESTS/ask.py" "$1" POSTERN_MID=7 POSTERN_AUTH=alice RELAYCLIENT= TCPREMOTEIP=192.0.2.1; }
all="POSTERN_AUTH=alice
POSTERN_MID=7
RELAYCLIENT=
TCPREMOTEIP=192.0.2.1"

serve default
expect_equal "$(ask default)" "$all" "our own user is answered and trusted"
serve stranger --clients 64001,64002
ask stranger > "$T/out"; expect_equal $? 75 "a user who is not in the list"
expect_equal "$(cat "$T/out")" "" "output for a stranger"
[ "$me" = 0 ] || expect_in "$T/stranger.log" "unable to answer a request: user $me is not in the list of clients"
serve untrusted --clients "$me,64002" --trust 64002
expect_equal "$(ask untrusted)" "TCPREMOTEIP=192.0.2.1" "what counts of a user who is not trusted"
serve trusted --clients "64002,$me" --trust "64003,$me"
expect_equal "$(ask trusted)" "$all" "what counts of a user who is trusted"

for wrong in "--clients x" "--clients 1,,2" "--trust -1" "--workers 0" "--workers 1001" "--workers x" "--clients"; do
  # shellcheck disable=SC2086
  "$B/postern-serve" $wrong run/x "$T/show" 2> "$T/log"; expect_equal $? 100 "exit code with $wrong"
  [ -s "$T/log" ] || fail "nothing said about $wrong"
done

# A queue: an untrusted client cannot choose the mid or what is kept with the message.
start queue "$B/postern-bind" queue "$(id -un)" "$B/postern-queue" --serve --workers 1 --clients "$me" --trust 64002
wait_for 30 test -S "$POSTERN_HOME/run/queue"
mail one > "$T/message"; printf 'Fa@x\0Tb@y\0\0' > "$T/envelope"
python3 "$TESTS/ask.py" queue POSTERN_MID=4711 POSTERN_AUTH=alice POSTERN_SPOOL=work "0<$T/message" "1<$T/envelope" || fail "queue: $?"
file=$(spool_files new)
[ -n "$file" ] && [ "$(basename "$file")" != 4711 ] || fail "it chose its mid, or its spool: $file"
expect_not_in "$file" 'POSTERN_AUTH'

[ "$me" = 0 ] || exit 0
# By uid: the socket itself is open to its owner and its group alone, and then the list decides.
serve users --clients 64001
as() { setpriv --reuid="$1" --regid="$1" --clear-groups env POSTERN_HOME="$POSTERN_HOME" python3 "$TESTS/ask.py" users TCPREMOTEIP=192.0.2.1 2>&1; }
as 64001 > "$T/out"; grep -q PermissionError "$T/out" || fail "a user who is neither owner nor group got in: $(cat "$T/out")"
expect_equal "$(stat -c '%a %U' "$POSTERN_HOME/run/users")" "660 root" "mode and owner"
chmod 666 "$POSTERN_HOME/run/users"
expect_equal "$(as 64001)" "TCPREMOTEIP=192.0.2.1" "a client"
as 64002 > "$T/out"; expect_equal $? 75 "a stranger"
python3 "$TESTS/ask.py" users > "$T/out"; expect_equal $? 75 "root is no exception"
