#!/bin/bash
# postern-local says yes only after fsync of the file, its move to new/, and fsync of new/, in this order.
. "$(dirname "$0")/../lib.sh"
need strace
. "$(dirname "$0")/../as_user.sh"

make_mailbox u1
printf 'Subject: x\n\nbody\n' > "$T/message"
chmod 644 "$T/message"
as_user strace -f -o "$T/trace" -e trace=openat,write,fsync,renameat2,linkat,exit_group \
  "$B/postern-local" u1 "$T/u1" u1 "" "" example.org sender@example.net ./Maildir/ < "$T/message" > "$T/said" || fail "exit code $?: $(cat "$T/said")"
file=$(sed -n 's/^maildir: //p' "$T/said")
[ -f "$file" ] || fail "no file $file"
expect_equal "$(head -n 2 "$file")" $'Return-Path: <sender@example.net>\nDelivered-To: u1@example.org' "first lines"
tail -n +3 "$file" | cmp - "$T/message" || fail "the message has changed"
expect_equal "$(ls "$T/u1/Maildir/tmp" | wc -l)" 0 "files left in tmp/"

# The descriptors of tmp/NAME and of new/ as openat returned them; then the order of what matters.
python3 - "$T/trace" <<'P' || fail "wrong order: $(cat "$T/trace")"
import re, sys
file_fd = new_fd = None
steps = []
for line in open(sys.argv[1]):
    if m := re.search(r'openat\(.*"tmp/[^"]*",.*= (\d+)$', line): file_fd = m[1]
    if m := re.search(r'openat\(.*"new",.*= (\d+)$', line): new_fd = m[1]
    if file_fd and f' write({file_fd},' in line: steps.append("write")
    if m := re.search(r'fsync\((\d+)\) *= 0', line):
        steps.append({file_fd: "sync-file", new_fd: "sync-new"}.get(m[1], "sync-other"))
    if re.search(r'(renameat2|linkat)\(.*"new/.* = 0$', line): steps.append("move")
    if ' write(1,' in line: steps.append("say")
    if 'exit_group(0)' in line: steps.append("exit")
while "write" in steps[1:]: steps.remove("write")
print(steps)
sys.exit(steps != ["write", "sync-file", "move", "sync-new", "say", "exit"])
P

# What a pipe brings is delivered too, and a fault of fsync is a temporary failure that leaves nothing.
printf 'Subject: pipe\n\n' | as_user "$B/postern-local" u1 "$T/u1" u1 "" "" example.org "" ./Maildir/ > "$T/said" || fail "pipe: $(cat "$T/said")"
rm -f "$T"/u1/Maildir/new/*
as_user strace -f -o "$T/trace" -e inject=fsync:error=EIO:when=1 \
  "$B/postern-local" u1 "$T/u1" u1 "" "" example.org "" ./Maildir/ < "$T/message" > "$T/said"
expect_equal $? 111 "exit code after a failed fsync"
expect_equal "$(find "$T/u1/Maildir" -type f | wc -l)" 0 "files left after a failed fsync"
