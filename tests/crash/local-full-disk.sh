#!/bin/bash
# A full file system: postern-local says 111 and leaves nothing in the Maildir.
# needs: root
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../as_user.sh"
[ "$(id -u)" = 0 ] || skip "only root can mount a small file system"
unshare -m true 2>/dev/null || skip "this kernel gives no mount namespaces here"

mkdir "$T/u1"
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
S
export T B MAILBOX_UID MAILBOX_GID
export -f as_user make_mailbox
unshare -m bash "$T/inside" || skip "cannot mount a small file system"
expect_equal "$(cat "$T/code")" 111 "exit code"
expect_in "$T/said" '^4\.3\.1 .*No space left'
expect_equal "$(cat "$T/files")" 0 "files left"
expect_equal "$(cat "$T/code2")" 0 "exit code of a message that has room"
