#!/bin/bash
# Debian's dot-forward, maildrop and procmail, called from .qmail as their manuals say; and the sample filters of doc/samples, which
# put what the scanner tagged into a folder of its own.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../as_user.sh"
. "$(dirname "$0")/../local.sh"
need dot-forward maildrop procmail

make_mailbox u1
make_queue_program
D=$T/u1
SAMPLES=$TESTS/../doc/samples
printf 'Subject: good\n\nhello\n' > "$T/ham"
printf 'X-Spam-Flag: YES\nSubject: bad\n\nbuy\n' > "$T/spam"
home_file() { cat > "$D/$1"; chmod 600 "$D/$1"; if [ "$(id -u)" = 0 ]; then chown "$MAILBOX_UID" "$D/$1"; fi; }
inbox() { find "$D/$1/new" "$D/$1/cur" -type f 2> /dev/null | wc -l; }

# dot-forward: a program of .forward; forwards go to /var/lib/qmail/bin/qmail-queue, which postern-ask can stand in for.
dot "" < <(printf '%s\n' '|dot-forward .forward' ./Maildir/)
deliver 0 u1 "" "" < "$T/ham"
expect_equal "$(inbox Maildir)" 1 "without a .forward"
echo "\"|cat > $D/by-forward\"" | home_file .forward
deliver 0 u1 "" "" < "$T/ham"
tail -n 3 "$D/by-forward" | cmp - "$T/ham" || fail "the .forward's program got another message"
expect_equal "$(inbox Maildir)" 1 "with a .forward, which ends the instructions (exit 99)"
if [ "$(id -u)" = 0 ] && unshare -m true 2> /dev/null; then
  mkdir -p "$T/qmail/bin" "$T/qmail/control"
  echo example.org > "$T/qmail/control/me"
  printf '#!/bin/sh\nexec %s/postern-ask %s/queue-program 3<&- 4<&- 5<&- 6<&-\n' "$B" "$T" > "$T/qmail/bin/qmail-queue"
  chmod 755 "$T/qmail/bin/qmail-queue"
  echo 'Bob (of old) <bob@example.net>, carl' | home_file .forward
  cat > "$T/inside" <<'S'
mount --bind "$T/qmail" /var/lib/qmail && deliver 0 u1 "" "" < "$T/ham"
S
  export T B MAILBOX_UID MAILBOX_GID
  export -f deliver as_user fail
  unshare -m bash "$T/inside" || fail "dot-forward with an address: $(cat "$T/said")"
  expect_equal "$(queued)" 'Fann@example.net|Tcarl@example.org|Tbob@example.net||' "dot-forward's envelope"
  expect_in "$T/queued/message" '^Delivered-To: u1@example\.org$'
  expect_equal "$(inbox Maildir)" 1 "messages, when .forward names addresses"
fi

# maildrop with the sample.
as_user mkdir -p "$D/Maildir/.Junk/tmp" "$D/Maildir/.Junk/new" "$D/Maildir/.Junk/cur"
sed '/^#/d' "$SAMPLES/mailfilter" | home_file .mailfilter
dot "" < "$SAMPLES/dot-qmail.maildrop"
deliver 0 u1 "" "" < "$T/ham"
deliver 0 u1 "" "" < "$T/spam"
expect_equal "$(inbox Maildir) $(inbox Maildir/.Junk)" "2 1" "maildrop: inbox and junk"
file=$(find "$D/Maildir/.Junk" -type f)
expect_in "$file" '^Delivered-To: u1@example.org$'
expect_in "$file" '^Return-Path: <ann@example.net>$'
printf 'EXITCODE=77\nexit\n' | home_file .mailfilter
deliver 100 u1 "" "" < "$T/ham"
printf 'EXITCODE=75\nexit\n' | home_file .mailfilter
deliver 111 u1 "" "" < "$T/ham"

# procmail with the sample.
home_file .procmailrc < "$SAMPLES/procmailrc"
dot "" < "$SAMPLES/dot-qmail.procmail"
deliver 0 u1 "" "" < "$T/ham"
deliver 0 u1 "" "" < "$T/spam"
expect_equal "$(inbox Maildir) $(inbox Maildir/.Junk)" "3 2" "procmail: inbox and junk"

# Without any filter program: the shell and grep, which knows of the header alone.
dot "" < <(sed "s,; postern-local,; $B/postern-local," "$SAMPLES/dot-qmail.shell")
dot -junk < <(echo ./Maildir/.Junk/)
deliver 0 u1 "" "" < "$T/ham"
deliver 0 u1 "" "" < "$T/spam"
printf 'Subject: quoting\n\nX-Spam-Flag: YES\n' > "$T/quoting"
deliver 0 u1 "" "" < "$T/quoting"
expect_equal "$(inbox Maildir) $(inbox Maildir/.Junk)" "5 3" "the shell: inbox and junk"
