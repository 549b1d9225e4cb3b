#!/bin/bash
# once: the users do not matter to it
# A program of a .qmail file that hangs is ended with its process group, in the time of control/programseconds, and the message is
# tried again; so is one whose postern-local was killed.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../as_user.sh"
. "$(dirname "$0")/../local.sh"
need python3

make_home
mkdir "$POSTERN_HOME/users"
echo example.org > "$POSTERN_HOME/control/locals"
make_mailbox u1
D=$T/u1
printf '=u1:u1:%s:%s:%s:::\n.\n' "$MAILBOX_UID" "$MAILBOX_GID" "$D" > "$POSTERN_HOME/users/assign"
"$B/postern-newu" || fail "postern-newu"
printf 'Subject: x\n\nbody\n' > "$T/message"
dot "" < <(echo '|echo $$ > shell; sleep 1000 & echo $! > sleeper; wait')
gone() { ! kill -0 "$1" 2> /dev/null; }

echo 1 > "$POSTERN_HOME/control/programseconds"
"$B/postern-lspawn" a@b u1@example.org < "$T/message" > "$T/reports" 2> "$T/log" || fail "exit code $?"
tr '\0' '|' < "$T/reports" > "$T/said"
expect_in "$T/said" '^s4\.3\.0 .*took too long and was ended\|Z'
wait_for 30 gone "$(cat "$D/shell")"
wait_for 30 gone "$(cat "$D/sleeper")"

for wrong in 0 3601 soon; do
  echo $wrong > "$POSTERN_HOME/control/programseconds"
  "$B/postern-lspawn" a@b u1@example.org < "$T/message" > /dev/null 2> "$T/log"
  expect_equal $? 111 "exit code with programseconds $wrong"
  expect_in "$T/log" '^Critical: postern-lspawn: .*programseconds:1: .*(write|decimal digits)'
done
rm "$POSTERN_HOME/control/programseconds"

# The memory that the service may have is not a program's limit; control/programmemory is.
dot "" < <(echo "|python3 -c 'import mmap; mmap.mmap(-1, 200 << 20)'")
small_lspawn() {
  (ulimit -S -v 131072; exec "$B/postern-lspawn" a@b u1@example.org) < "$T/message" 2> "$T/log" | tr '\0' '|' > "$T/said"
}
small_lspawn
expect_in "$T/said" '^rprogram: .*\|K'
echo 150 > "$POSTERN_HOME/control/programmemory"
small_lspawn
expect_in "$T/said" '^s4\.3\.0 .*Cannot allocate memory'
rm "$POSTERN_HOME/control/programmemory"
dot "" < <(echo '|echo $$ > shell; sleep 1000 & echo $! > sleeper; wait')

# Killed in the middle: the shell goes with it.
rm "$D/shell" "$D/sleeper"
start local as_user "$B/postern-local" u1 "$D" u1 "" "" example.org a@b ./Maildir/
# start gives no message; an empty one will do.
wait_for 30 test -s "$D/sleeper"
pid=$(pgrep -f -- "postern-local u1 $D " | head -n 1)
kill -9 "$pid"
wait_for 30 gone "$(cat "$D/shell")"
kill "$(cat "$D/sleeper")" 2> /dev/null
exit 0
