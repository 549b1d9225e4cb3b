#!/bin/bash
# put says 0 only after fsync of the file, rename, fsync of the directory, in this order; a fault on the way says try again
# and leaves no message, a kill on the way leaves nothing that is listed.
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
traced -- 700 || fail "put: exit $?"
python3 - "$T/trace" <<'P' || fail "the order: $(grep -E 'fsync|rename|exit' "$T/trace")"
import re, sys
steps = []
for line in open(sys.argv[1]):
    if re.match(r"fsync\(.*/tmp/\d+/700>\) += 0", line): steps.append("file")
    elif re.match(r"renameat2\(.*/tmp/\d+/700.*/new/\d+/700.* = 0", line): steps.append("rename")
    elif re.match(r"fsync\(.*/new/\d+>\) += 0", line): steps.append("directory")
    elif re.match(r"fsync\(.*/quarantine(/Virus(/new)?)?>\) += 0", line): steps.append("store")
    elif line.startswith("exit_group(0)"): steps.append("exit")
sys.exit(steps != ["store"] * 3 + ["file", "rename", "directory", "exit"])
P

left() { find "$POSTERN_HOME/quarantine" -type f | grep -v '/new/[0-9]*/700$'; }
for fault in fsync:error=EIO:when=4 fsync:error=EIO:when=5 renameat2:error=ENOSPC write:error=ENOSPC:when=1; do
  traced -e inject=$fault -- 701
  code=$?
  [ $code -gt 40 ] || fail "$fault: exit $code"
  expect_equal "$(left)" "" "$fault"
done
for fault in renameat2:signal=KILL fsync:signal=KILL:when=4; do
  traced -e inject=$fault -- 702
  expect_equal "$(quarantine list | cut -f1 | grep -c 702)" "$(find "$POSTERN_HOME"/quarantine/*/new -name 702 | wc -l)" "$fault: listed and whole"
  quarantine list > "$T/list" || fail "$fault: list: exit $?: $(cat "$T/log")"
  for mid in $(cut -f1 "$T/list"); do quarantine show "$mid" | cmp - "$T/mail" || fail "$fault: $mid is not whole"; done
  quarantine delete 702
  find "$POSTERN_HOME"/quarantine/*/tmp -type f -delete
done
expect_equal "$(quarantine list | cut -f1)" 700 "the one that was said to be there"
exit 0
