#!/bin/bash
# The older layout, a spool for each quarantine, is taken over at the first start, with all messages, also when that is killed on its way.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/quarantine.sh"
make_store
mail_file moved
for mid in 1 2 3 20; do put $mid Virus "r$mid" || fail put; done
put 5 'Policy 2' word || fail put
quarantine list > "$T/whole"
quarantine list --json > "$T/whole.json"
# As it was before there was an index.
older() {
  local mid name place
  for mid in 1 2 3 5 20; do
    name=Virus place=new
    [ $mid != 5 ] || name='Policy 2'
    [ $mid != 3 ] || place=cur
    mkdir -p "$POSTERN_HOME/quarantine/$name"/{tmp,new,cur,defer}/{0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15}
    mv "$(find "$POSTERN_HOME/quarantine/messages" -name $mid -type f)" "$POSTERN_HOME/quarantine/$name/$place/$((mid % 16))/$mid"
  done
  rm -rf "$POSTERN_HOME/db/quarantine" "$POSTERN_HOME/quarantine/messages"
}
older
quarantine list > "$T/list" || fail "list: $(cat "$T/log")"
cmp "$T/list" "$T/whole" || fail "another list: $(diff "$T/whole" "$T/list")"
quarantine list --json | cmp - "$T/whole.json" || fail "another list in JSON"
expect_equal "$(ls "$POSTERN_HOME/quarantine")" messages "what is left of the older layout"
quarantine show 5 | cmp - "$T/mail" || fail "show"
older
quarantine delete 1 || fail "delete as the first verb: $(cat "$T/log")"
expect_in "$T/log" '^Info: 4 messages of quarantine "Virus" moved to '
put 1 Virus r1 || fail put
quarantine list > "$T/whole"
if command -v strace > /dev/null && strace -o /dev/null true 2> /dev/null; then
  for fault in renameat2:1 renameat2:3 fsync:8 fdatasync:1 fdatasync:3 rmdir:1 rmdir:60 rmdir:69 pwrite64:9; do
    older
    killed_at ${fault%:*} ${fault#*:} list || fail "not killed at $fault"
    quarantine list > "$T/list" || fail "$fault: list: $(cat "$T/log")"
    cmp "$T/list" "$T/whole" || fail "$fault: another list: $(diff "$T/whole" "$T/list")"
    expect_equal "$(quarantine check)" "" "$fault: check"
    expect_equal "$(find "$POSTERN_HOME/quarantine" -mindepth 1 -maxdepth 1 ! -empty -printf '%f')" messages "$fault: what is left of the older layout"
  done
fi
# A damaged file stays where it is, is named, and keeps nobody from the others.
older
file=$(find "$POSTERN_HOME/quarantine" -type f -name 2)
truncate -s -1 "$file"
quarantine list > "$T/list" || fail "list with a damaged file: $(cat "$T/log")"
expect_in "$T/log" 'unable to list MID 2 of .*: read the queue file'
expect_equal "$(cut -f1 "$T/list" | tr '\n' ' ')" '1 3 5 20 ' "the others"
[ "$(find "$POSTERN_HOME/quarantine" -type f -name 2 | wc -l)" = 1 ] || fail "the damaged file has gone"
exit 0
