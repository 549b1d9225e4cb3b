#!/bin/bash
# needs: root
# A full disk is a temporary failure (53) that leaves nothing in tmp/ and nothing that could be delivered.
. "$(dirname "$0")/../lib.sh"
make_own_instance
head -c 200000 /dev/zero > "$T/large"
cat > "$T/inside" <<'I'
. "$TESTS_LIB"
trap - EXIT
POSTERN_HOME=$1 T=$2
cp -a "$POSTERN_HOME/queue" "$T/layout"
mount -t tmpfs -o size=64k tmpfs "$POSTERN_HOME/queue" || exit 1
cp -a "$T/layout/." "$POSTERN_HOME/queue"
queue_message a@x b@y < "$T/large" 2> "$T/log"
expect_equal $? 53 "exit code on a full disk"
expect_in "$T/log" 'unable to queue a message: write the message: No space left on device'
expect_equal "$(spool_files tmp)$(spool_files new)" "" "files after a full disk"
# A read-only disk.
mount -o remount,ro "$POSTERN_HOME/queue"
queue_message a@x b@y < <(mail small) 2> "$T/log"; code=$?
[ $code -ge 53 ] && [ $code -le 66 ] || { cat "$T/log"; fail "exit code on a read-only disk: $code"; }
mount -o remount,rw "$POSTERN_HOME/queue"
expect_equal "$(spool_files tmp)$(spool_files new)" "" "files after a read-only disk"
# There was room for a small one all the time.
queue_message a@x b@y < <(mail small) 2> "$T/log" || { cat "$T/log"; fail "a small message: $?"; }
expect_equal "$(spool_files new | wc -l)" 1 "small messages"
# No descriptors: of that kind too.
mail small > "$T/small"
prlimit --nofile=3 "$B/postern-queue" < "$T/small" 1< "$T/queue.envelope" 2> "$T/log"; code=$?
[ $code -gt 40 ] || fail "exit code without descriptors: $code"
expect_equal "$(spool_files tmp | wc -l) $(spool_files new | wc -l)" "0 1" "files at the end"
I
TESTS_LIB=$TESTS/lib.sh unshare -m bash "$T/inside" "$POSTERN_HOME" "$T" || fail "see above"
