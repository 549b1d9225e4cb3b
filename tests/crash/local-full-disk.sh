#!/bin/bash
# A full file system: postern-local says 111 and leaves nothing in the Maildir; an mbox is as long as it was.
# needs: root
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../as_user.sh"
[ "$(id -u)" = 0 ] || skip "only root can mount a small file system"
unshare -m true 2>/dev/null || skip "this kernel gives no mount namespaces here"

mkdir "$T/u1"
touch "$T/old"
chown "$MAILBOX_UID" "$T/old"
dd if=/dev/zero of="$T/message" bs=64k count=32 status=none
cat > "$T/inside" <<'S'
set -e
mount -t tmpfs -o size=1m,mode=755 tmpfs "$T/u1"
make_mailbox u1
set +e
as_user "$B/postern-local" u1 "$T/u1" u1 "" "" example.org a@b ./Maildir/ < "$T/message" > "$T/said"
echo $? > "$T/code"
find "$T/u1" -type f | wc -l > "$T/files"
printf 'Subject: small\n\n' | as_user "$B/postern-local" u1 "$T/u1" u1 "" "" example.org a@b ./Maildir/ > "$T/said2"
echo $? > "$T/code2"
as_user sh -c "printf 'From x Thu Jan  1 00:00:00 1970\n\nold\n\n' > '$T/u1/mbox'; cp '$T/u1/mbox' '$T/old'; echo ./mbox > '$T/u1/.qmail'; chmod 600 '$T/u1/.qmail'"
as_user "$B/postern-local" u1 "$T/u1" u1 "" "" example.org a@b ./Maildir/ < "$T/message" > "$T/said3"
echo $? > "$T/code3"
cmp "$T/old" "$T/u1/mbox"
echo $? > "$T/same"
S
export T B MAILBOX_UID MAILBOX_GID
export -f as_user make_mailbox
unshare -m bash "$T/inside" || skip "cannot mount a small file system"
expect_equal "$(cat "$T/code")" 111 "exit code"
expect_in "$T/said" '^4\.3\.1 .*No space left'
expect_equal "$(cat "$T/files")" 0 "files left"
expect_equal "$(cat "$T/code2")" 0 "exit code of a message that has room"
expect_equal "$(cat "$T/code3")" 111 "exit code of an mbox without room"
expect_in "$T/said3" '^4\.3\.1 .*No space left'
expect_equal "$(cat "$T/same")" 0 "the mbox is as it was"
