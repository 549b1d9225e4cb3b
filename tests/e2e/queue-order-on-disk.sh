#!/bin/bash
# Durable before yes: write, fsync of the file, rename to new/, fsync of the directory, then exit 0. Nothing else touches new/.
. "$(dirname "$0")/../lib.sh"
need strace
make_own_instance
mail one > "$T/message"
printf 'Fa@x\0Tb@y\0\0' > "$T/envelope"
POSTERN_MID=4242 strace -y -o "$T/trace" "$B/postern-queue" < "$T/message" 1< "$T/envelope" 2> "$T/log" || fail "exit code $?"
in_order "$T/trace" '^openat\(.*queue/tmp/[0-9]+/4242", .*O_EXCL' '^write\([0-9]+<.*queue/tmp/.*4242>' \
  '^fsync\([0-9]+<.*queue/tmp/[0-9]+/4242>\) += 0' '^close\([0-9]+<.*queue/tmp/[0-9]+/4242>\) += 0' \
  '^renameat2\(.*queue/tmp/[0-9]+/4242".*queue/new/[0-9]+/4242", RENAME_NOREPLACE\) += 0' \
  '^fsync\([0-9]+<.*queue/new/[0-9]+>\) += 0' 'exited with 0'
# After the file's fsync not a byte is written to it.
sed '1,/^fsync(.*4242>/d' "$T/trace" | grep -E '^p?writev?(64)?\([0-9]+<[^>]*queue/[^>]*4242>' && fail "written behind the fsync"
# What makes send look is said last of all, after the directory's fsync.
sed '/^fsync([0-9]*<.*queue\/new\//q' "$T/trace" | grep -E 'queue/wake' && fail "woken before it is durable"
exit 0
