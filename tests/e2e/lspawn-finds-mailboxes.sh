#!/bin/bash
# postern-lspawn, in both forms: exact addresses, wildcards, unknown users, domains that are not ours, several at once; and as
# root it delivers as the mailbox's user, with that user's group and no others.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../as_user.sh"

make_home
mkdir "$POSTERN_HOME/users"
echo example.org > "$POSTERN_HOME/control/locals"
for user in u1 u2 u3; do make_mailbox $user; done
as_user touch "$T/u3/.qmail-default"
{
  for user in u1 u2; do echo "=$user:$user:$MAILBOX_UID:$MAILBOX_GID:$T/$user:::"; done
  echo "+u3-:u3:$MAILBOX_UID:$MAILBOX_GID:$T/u3:-::"
  echo "=gone:gone:$MAILBOX_UID:$MAILBOX_GID:$T/gone:::"
  echo .
} > "$POSTERN_HOME/users/assign"
"$B/postern-newu" || fail "postern-newu"
printf 'Subject: x\n\nbody\n' > "$T/message"
files() { find "$T/$1/Maildir/new" -type f; }
count() { files "$1" | wc -l; }

# The path form.
POSTERN_MID=7 POSTERN_RIDS=2 "$B/postern-lspawn" sender@example.net U1@Example.ORG < "$T/message" > "$T/reports" 2> "$T/log" ||
  fail "exit code $?"
expect_equal "$(tr '\0' '|' < "$T/reports")" "rmaildir: $(files u1)|Kmaildir: $(files u1)|" "reports"
expect_in "$T/log" "^Info: MID 7 RID \[2\] delivered to mailbox u1: $(files u1)$"
expect_in "$(files u1)" '^Delivered-To: U1@example.org$'

# The resident form.
start lspawn "$B/postern-bind" lspawn root "$B/postern-lspawn" --serve --workers 8
SERVICE=$LAST_PID
wait_for 30 test -S "$POSTERN_HOME/run/lspawn"
ask() { "$TESTS/lspawn_ask.py" "$POSTERN_HOME/run/lspawn" "$T/message" 8 "$@" > "$T/answers" || fail "no answer: $*"; }

ask s@example.net u1@example.org u2@example.org u3-any@example.org '"u1"@example.org'
expect_equal "$(grep -c ' 0 rmaildir: .*|Kmaildir: .*|$' "$T/answers")" 4 "delivered of four at once: $(cat "$T/answers")"
expect_equal "$(count u1) $(count u2) $(count u3)" "3 1 1" "files"
expect_in "$(files u3)" '^Delivered-To: u3-any@example.org$'
expect_in "$T/lspawn.log" '^Info: MID 8 RID \[2\] delivered to mailbox u3: /'

ask s@example.net nobody-here@example.org u3@example.org u1@elsewhere.example gone@example.org u1 root@example.org
expect_in "$T/answers" '^nobody-here@example.org 0 h5\.1\.1 no mailbox here by that name\|D5\.1\.1 no mailbox here by that name\|$'
expect_in "$T/answers" '^u3@example.org 0 h5\.1\.1 '
expect_in "$T/answers" '^u1@elsewhere.example 0 h5\.1\.2 '
expect_in "$T/lspawn.log" '^Warning: postern-lspawn: unable to deliver to u1@elsewhere.example: its domain is not in control/locals or control/virtualdomains'
expect_in "$T/answers" '^gone@example.org 0 s4\.3\.0 unable to enter the home .*No such file.*\|Z4\.3\.0 '
expect_in "$T/answers" '^u1 0 h5\.1\.2 '
expect_in "$T/answers" '^root@example.org 0 h5\.1\.1 '
expect_not_in "$T/lspawn.log" ' (gone|root): /'

# A sender that tries to write a log line, and a message that loops.
printf 'Delivered-To: u2@example.org\n\n' > "$T/message"
ask $'s@example.net\nInfo: forged' u2@example.org
expect_in "$T/answers" '^u2@example.org 0 h5\.4\.6 '
expect_not_in "$T/lspawn.log" '^Info: forged'

# A users/cdb that another may write is not believed.
chmod o+w "$POSTERN_HOME/users/cdb"
ask s@example.net u1@example.org
expect_in "$T/answers" '^u1@example.org 0 s4\.3\.5 .*others may write it'
chmod o-w "$POSTERN_HOME/users/cdb"
rm "$POSTERN_HOME/users/cdb"

if [ "$(id -u)" = 0 ]; then
  # The accounts of this host: nobody has no home of his own, root never has a mailbox.
  ask s@example.net nobody@example.org root-x@example.org
  expect_equal "$(grep -c ' 0 h5\.1\.1 ' "$T/answers")" 2 "accounts without a mailbox: $(cat "$T/answers")"
  expect_equal "$(find "$T"/u?/Maildir -type f -printf '%U:%G %m\n' | sort -u)" "$MAILBOX_UID:$MAILBOX_GID 600" "owner and mode"
fi
kill $SERVICE
gone() { ! kill -0 $SERVICE 2>/dev/null; }
wait_for 30 gone
