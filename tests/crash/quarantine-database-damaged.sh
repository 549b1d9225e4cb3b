#!/bin/bash
# A damaged or lost database loses no message: nothing is said to be held that is not, the remedy is named, and check --repair makes the
# lists again from the messages, under a resident that runs on.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/quarantine.sh"
need python3
make_store
mail_file kept
database=$POSTERN_HOME/db/quarantine/store.db
several() { env POSTERN_MID="$1" "$B/postern-quarantine" put Virus x 'Policy 2' y < "$T/mail" 3< "$T/envelope" 2> "$T/log"; }
for mid in $(seq 100 125); do several "$mid" || fail "put: $(cat "$T/log")"; done
# So that all of it stands in the database, not in its log.
python3 -c 'import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute("PRAGMA wal_checkpoint(TRUNCATE)")' "$database"
# The keeper's, or whoever else's, connections have gone: nothing is left beside it.
rm -f "$database-shm"
quarantine list > "$T/whole" || fail list
expect_equal "$(wc -l < "$T/whole")" 52 "rows"
start quarantine "$B/postern-bind" quarantine "$(id -un)" "$B/postern-quarantine" --serve --workers 2
wait_for 30 test -S "$POSTERN_HOME/run/quarantine"
ask() { python3 "$TESTS/ask.py" quarantine "$@"; }
mid=200
damage() {  # WHAT COMMAND…: damages it, and mends it
  local what=$1; shift
  # The resident has it open while that happens.
  mid=$((mid + 1))
  ask POSTERN_MID=$mid "0<$T/mail" "3<$T/envelope" -- put Virus x 'Policy 2' y || fail "$what: put through the resident: $(tail -n 3 "$T/quarantine.log")"
  quarantine list > "$T/whole" || fail "$what: list before"
  "$@"
  quarantine check --repair > "$T/found" || fail "$what: repair: $(cat "$T/found" "$T/log")"
  quarantine list > "$T/list" || fail "$what: list: $(cat "$T/log")"
  cmp "$T/list" "$T/whole" || fail "$what: the list is another: $(diff "$T/whole" "$T/list" | head -n 5)"
  quarantine check > "$T/found" && [ ! -s "$T/found" ] || fail "$what: check after the repair: $(cat "$T/found")"
  mid=$((mid + 1))
  ask POSTERN_MID=$mid "0<$T/mail" "3<$T/envelope" -- put Virus x 'Policy 2' y || fail "$what: put through the resident afterwards: $(tail -n 3 "$T/quarantine.log")"
  expect_equal "$(quarantine list Virus | tail -n 1 | cut -f1)" $mid "$what: what the resident puts is listed"
}
garbage() { head -c "$3" /dev/urandom | dd of="$1" bs=1 seek="$2" conv=notrunc 2> /dev/null; }
beginning() { garbage "$database" 0 100; }
cut_short() { truncate -s 5000 "$database"; }
everything() { size=$(stat -c %s "$database"); garbage "$database" 0 "$size"; rm -f "$database-wal"; }
removed() { rm -f "$database" "$database-wal" "$database-shm"; }
emptied() { : > "$database"; rm -f "$database-wal" "$database-shm"; }
for how in beginning cut_short everything removed emptied; do damage $how $how; done
[ "$(find "$POSTERN_HOME/db/quarantine" -name 'store.db.damaged-*' ! -name '*-wal' ! -name '*-shm' | wc -l)" -ge 3 ] || fail "the damaged ones are not kept aside"

# Nobody has repaired it yet: put says try again, list says why, and no message goes.
kill "$LAST_PID"; wait "$LAST_PID" 2> /dev/null
rm -f "$POSTERN_HOME/run/quarantine"
quarantine list > "$T/whole"
python3 -c 'import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute("PRAGMA wal_checkpoint(TRUNCATE)")' "$database"
everything
several 900; code=$?
[ $code -gt 40 ] && [ $code != 100 ] || fail "put into a damaged database: exit $code"
expect_in "$T/log" 'check --repair. makes it again from the messages'
quarantine list > "$T/list"; expect_equal $? 111 "list of a damaged database"
quarantine check > "$T/found"; expect_equal $? 100 "check of a damaged database"
expect_equal "$(find "$POSTERN_HOME/quarantine" -type f | wc -l)" "$(cut -f1 "$T/whole" | sort -u | wc -l)" "the messages"
quarantine check --repair > "$T/found" || fail "repair: $(cat "$T/found" "$T/log")"
quarantine list | cmp - "$T/whole" || fail "after the repair"

# Single faults, each named and mended: a row without a file, a file without a row, a damaged file (which stays).
rm "$(find "$POSTERN_HOME/quarantine" -type f -name 100)"
python3 - "$database" <<'P'
import sqlite3, sys
d = sqlite3.connect(sys.argv[1]); d.execute("DELETE FROM messages WHERE mid = 101"); d.execute("DELETE FROM memberships WHERE mid = 101"); d.commit()
P
printf X | dd of="$(find "$POSTERN_HOME/quarantine" -type f -name 102)" conv=notrunc bs=1 seek=3 2> /dev/null
quarantine list > "$T/list"; expect_equal $? 111 "a row without a file"
expect_in "$T/log" 'unable to list message 100: its file is gone'
quarantine check > "$T/found"; expect_equal $? 100 "check"
expect_equal "$(sort "$T/found")" "MID 100: it is listed, but its file is gone
MID 101: its file is in no list
MID 102: its file is damaged: the message's checksum is wrong" "found"
quarantine check --repair > "$T/found"; expect_equal $? 100 "what cannot be mended"
expect_equal "$(grep -c mended "$T/found")" 2 "mended"
quarantine list --mid 100 --mid 101 > "$T/list" || fail "list after the repair"
expect_equal "$(cut -f1,2 "$T/list")" "101${TAB}Policy 2
101${TAB}Virus" "after the repair"
exit 0
