#!/bin/bash
# postern-local: a loop is permanent; everything that is wrong with the mailbox or the call is temporary, says why, and leaves
# nothing behind.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../as_user.sh"

make_mailbox u1
printf 'Subject: x\n\nbody\n' > "$T/message"

# refused CODE PATTERN MESSAGE ARGUMENT…
refused() {
  local code=$1 pattern=$2 message=$3; shift 3
  as_user "$B/postern-local" "$@" < "$message" > "$T/said"
  expect_equal $? "$code" "exit code for: $*"
  expect_in "$T/said" "$pattern"
  expect_equal "$(wc -l < "$T/said")" 1 "lines said"
  expect_equal "$(find "$T/u1" -type f | wc -l)" 0 "files in the home after: $*"
}

printf 'Subject: x\nDelivered-To: u1@example.org\n\nbody\n' > "$T/loop"
refused 100 '^5\.4\.6 .*looping' "$T/loop" u1 "$T/u1" u1 "" "" example.org a@b ./Maildir/
refused 111 'eight' "$T/message" u1 "$T/u1"
refused 111 'must begin with /' "$T/message" u1 u1 u1 "" "" example.org a@b ./Maildir/
refused 111 'No such file' "$T/message" u1 "$T/nowhere" u1 "" "" example.org a@b ./Maildir/
refused 111 '^4\.2\.1 .*Maildir.*mkdir' "$T/message" u1 "$T/u1" u1 "" "" example.org a@b ./Mail/
refused 111 'names no place' "$T/message" u1 "$T/u1" u1 "" "" example.org a@b '#'
refused 111 '^4\.2\.1 .*no plain file' "$T/message" u1 "$T/u1" u1 "" "" example.org a@b ./Maildir
refused 100 '^5\.1\.1 no mailbox here' "$T/message" u1 "$T/u1" u1-any - any example.org a@b ./Maildir/
chmod o+w "$T/u1"
refused 111 '^4\.7\.0 .*chmod o-w' "$T/message" u1 "$T/u1" u1 "" "" example.org a@b ./Maildir/
chmod o-w,+t "$T/u1"
refused 111 '^4\.2\.1 .*sticky' "$T/message" u1 "$T/u1" u1 "" "" example.org a@b ./Maildir/
chmod -t "$T/u1"

if [ "$(id -u)" = 0 ]; then
  "$B/postern-local" u1 "$T/u1" u1 "" "" example.org a@b ./Maildir/ < "$T/message" > "$T/said"
  expect_equal $? 111 "exit code as root"
  expect_in "$T/said" 'as root; start it as'
fi

# A sender cannot add a line.
as_user "$B/postern-local" u1 "$T/u1" u1 "" "" example.org $'a@b\nX-Forged: yes' ./Maildir/ < "$T/message" > "$T/said" || fail "$(cat "$T/said")"
expect_not_in "$(sed -n 's/^maildir: //p' "$T/said")" '^X-Forged'
