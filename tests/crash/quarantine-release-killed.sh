#!/bin/bash
# A release that is killed at any step loses nothing: before the receiver's answer and after it the message is still held,
# and a second release gets through.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/quarantine.sh"
need strace
make_store
strace -o /dev/null true 2> /dev/null || skip "strace may not trace here"
cp "$TESTS/data/queue-store.sh" "$T/receiver"
chmod 755 "$T/receiver"
export POSTERN_RELEASE_TO=$T/receiver
mail_file released
received() { find "$POSTERN_HOME/store" -name '*.message' | wc -l; }
mid=800
for fault in memfd_create:when=1 memfd_create:when=2 unlink:when=1; do
  mid=$((mid + 1))
  put $mid Virus x || fail "put"
  before=$(received)
  strace -o "$T/trace" -e "inject=${fault%:when=*}:signal=KILL:${fault#*:}" "$B/postern-quarantine" release $mid > "$T/out" 2> "$T/log"
  grep -q 'killed by SIGKILL' "$T/trace" || fail "$fault did not kill it"
  expect_equal "$(cat "$T/out")" "" "$fault: printed"
  expect_equal "$(quarantine list | cut -f1)" $mid "$fault: still held"
  quarantine release $mid > "$T/out" || fail "$fault: second release: exit $?: $(cat "$T/log")"
  expect_equal "$(quarantine list)" "" "$fault: gone at last"
  [ "$(received)" -gt "$before" ] || fail "$fault: lost"
done
# Only the kill after the receiver's answer releases twice.
expect_equal "$(received)" 4 "received in all"
exit 0
