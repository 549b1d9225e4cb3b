#!/bin/bash
# once: the users do not matter to it
# A release that is killed at any step loses nothing and sends nothing twice: until the receiver's answer and the removal of the row the
# message is held; a second release has the same number, by which the receiver knows what it has.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/quarantine.sh"
need strace
make_store
strace -o /dev/null true 2> /dev/null || skip "strace may not trace here"
# As the queue: what came under this number from this entry is there once.
cat > "$T/receiver" <<'S'
#!/bin/sh
[ -n "$POSTERN_WORK" ] || exit 111
file=$POSTERN_HOME/store/$POSTERN_MID.message
[ -n "$POSTERN_DEFERRED" ] && [ -f "$file" ] && grep -qx "$POSTERN_WORK" "$POSTERN_HOME/store/$POSTERN_MID.work" && exit 0
[ ! -e "$file" ] || exit 31
echo "$POSTERN_WORK" > "$POSTERN_HOME/store/$POSTERN_MID.work"
cat > "$file"
S
chmod 755 "$T/receiver"
export POSTERN_RELEASE_TO=$T/receiver
mail_file released
received() { find "$POSTERN_HOME/store" -name '*.message' | wc -l; }
put 800 Virus x || fail put
mid=800 all=0
for call in memfd_create clone vfork wait4 $DISK_CALLS; do
  for count in $(seq 20); do
    mid=$((mid + 1)) all=$((all + 1))
    put $mid Virus x || fail "put: $(cat "$T/log")"
    killed_at "$call" "$count" release $mid || break
    expect_equal "$(grep -c "$mid released as" "$T/out")" 0 "$call $count: printed"
    if quarantine list | sees "^$mid$TAB"; then
      quarantine show $mid | cmp - "$T/mail" || fail "$call $count: held, and not whole"
      quarantine release $mid > "$T/out" || fail "$call $count: second release: exit $?: $(cat "$T/log")"
    fi
    expect_equal "$(quarantine list | cut -f1)" 800 "$call $count: gone at last"
    expect_equal "$(received)" $all "$call $count: received in all"
    # The row's removal was final: the file that may be left never comes back.
    store_is_sound || fail "$call $count: see above"
    expect_equal "$(quarantine list | cut -f1)" 800 "$call $count: gone after a repair"
    expect_equal "$(find "$POSTERN_HOME/quarantine" -type f | grep -vc /800)" 0 "$call $count: files"
  done
  # The last one was not killed: it was released at once.
  expect_equal "$(received)" $all "received, not killed at $call"
  case $call:$count in fdatasync:[12] | memfd_create:1 | unlink:1) fail "$call was not met" ;; esac
done
exit 0
