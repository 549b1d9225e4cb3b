#!/bin/bash
# postern-lspawn waits 300 s for a delivery and no longer: then it kills the child, which its user may have stopped, and the
# message is tried again. strace lets that time pass at once.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../as_user.sh"
need strace

make_home
mkdir "$POSTERN_HOME/users"
echo example.org > "$POSTERN_HOME/control/locals"
make_mailbox u1
printf '=u1:u1:%s:%s:%s:::\n.\n' "$MAILBOX_UID" "$MAILBOX_GID" "$T/u1" > "$POSTERN_HOME/users/assign"
"$B/postern-newu" || fail "postern-newu"
printf 'Subject: x\n\nbody\n' > "$T/message"
strace -o "$T/calls" -e trace=poll,kill -e inject=poll:retval=0 \
  "$B/postern-lspawn" s@example.net u1@example.org < "$T/message" > "$T/reports" 2> "$T/log"
expect_equal $? 0 "exit code"
expect_in "$T/calls" '^poll\(.*, (300000|299[0-9]{3})\)'
expect_in "$T/calls" '^kill\(-[0-9]+, SIGKILL\)'
expect_equal "$(tr '\0' '|' < "$T/reports" | grep -cE '^s4\.3\.0 .*deadline.*\|Z4\.3\.0 .*deadline.*\|$')" 1 "reports: $(tr '\0' '|' < "$T/reports")"
child=$(sed -nE 's/^kill\(-([0-9]+), SIGKILL\).*/\1/p' "$T/calls" | head -n 1)
gone() { ! kill -0 "$child"; }
wait_for 30 gone
