#!/bin/bash
# put says 0 only after fsync of the file, rename, fsync of the directory, commit of the row, in this order; a fault on the way says try
# again and leaves no message; a kill at any step leaves nothing that is listed and not whole, and a repeat puts it there once.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/quarantine.sh"
need strace
make_store
mail_file order
strace -o /dev/null true 2> /dev/null || skip "strace may not trace here"
traced() {  # OPTIONS… -- MID
  local options=()
  while [ "$1" != -- ]; do options+=("$1"); shift; done
  env POSTERN_MID="$2" strace -y -o "$T/trace" "${options[@]}" "$B/postern-quarantine" put Virus x < "$T/mail" 3< "$T/envelope" 2> "$T/log"
}
order() {  # WHAT MID EXPECTED
  python3 - "$T/trace" "$2" "$3" <<'P' || fail "the order of $1: $(grep -E 'sync|rename|exit' "$T/trace")"
import re, sys
path, mid, expected = sys.argv[1:]
steps = []
for line in open(path):
    if re.match(r"fsync\(.*/tmp/\d+/%s>\) += 0" % mid, line): step = "file"
    elif re.match(r"renameat2\(.*/tmp/\d+/%s.*/new/\d+/%s.* = 0" % (mid, mid), line): step = "rename"
    elif re.match(r"fsync\(.*/new/\d+>\) += 0", line): step = "directory"
    elif re.match(r"fsync\(.*/(quarantine(/messages(/new|/cur)?)?|db|db/quarantine)>\) += 0", line): step = "store"
    elif re.match(r"fdatasync\(.*/store.db-wal>\) += 0", line): step = "row"
    elif re.match(r"fdatasync\(.*/store.db(-journal)?>\) += 0", line): step = "tables"
    elif line.startswith("exit_group(0)"): step = "exit"
    else: continue
    if not steps or steps[-1] != step: steps.append(step)
sys.exit(steps != expected.split())
P
}
traced -- 699 || fail "the first put: exit $?"
order "the first put" 699 "store tables row file rename directory row exit"
traced -- 700 || fail "put: exit $?"
order "put" 700 "file rename directory row exit"

left() { find "$POSTERN_HOME/quarantine" -type f | grep -vE '/cur/[0-9]*/(699|700)$'; }
for fault in fsync:error=EIO:when=1 fsync:error=EIO:when=2 fdatasync:error=EIO:when=1 renameat2:error=ENOSPC:when=1 write:error=ENOSPC:when=1 \
  pwrite64:error=ENOSPC pwrite64:error=EIO openat:error=EIO:when=12+ openat:error=EMFILE:when=14+; do
  traced -e inject=$fault -- 701
  code=$?
  [ $code -gt 40 ] && [ $code != 100 ] || fail "$fault: exit $code: $(cat "$T/log")"
  expect_equal "$(left)" "" "$fault"
  expect_equal "$(quarantine list | cut -f1)" "699
700" "$fault"
done

mid=1000 all=0
export POSTERN_ICID=5 POSTERN_DEFERRED=1
for call in $DISK_CALLS; do
  for count in $(seq 30); do
    mid=$((mid + 1)) all=$((all + 1))
    export POSTERN_MID=$mid
    killed_at "$call" "$count" put Virus x Policy y < "$T/mail" 3< "$T/envelope" || break
    quarantine list > "$T/list" || fail "$call $count: list: exit $?: $(cat "$T/log")"
    if cut -f1 "$T/list" | sees -x $mid; then quarantine show $mid | cmp - "$T/mail" || fail "$call $count: listed and not whole"; fi
    "$B/postern-quarantine" put Virus x Policy y < "$T/mail" 3< "$T/envelope" 2> "$T/log" || fail "$call $count: the repeat: exit $?: $(cat "$T/log")"
    expect_equal "$(quarantine list Policy | wc -l)" $all "$call $count: messages after the repeat"
    # What the kill has left in tmp/ takes the number; then the repeat has another.
    find "$POSTERN_HOME"/quarantine/messages/tmp -type f -delete
  done
  case $call:$count in fsync:[12] | fdatasync:1 | renameat2:[12] | pwrite64:1) fail "$call was not met" ;; esac
done
store_is_sound || fail "see above"
for mid in $(quarantine list | cut -f1 | sort -u); do quarantine show "$mid" | cmp - "$T/mail" || fail "$mid is not whole"; done
exit 0
