#!/bin/bash
# needs: root
# A full disk: put says try again and leaves nothing, what is held stays readable, a deletion makes room, and then it takes messages
# again.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/quarantine.sh"
make_home
mkdir "$T/disk"
mount -t tmpfs -o size=4m,nr_inodes=400,mode=755 tmpfs "$T/disk" 2> /dev/null || skip "no mount here"
finish_disk() { local code=$?; umount "$T/disk"; (exit $code); finish; }
trap finish_disk EXIT
rmdir "$POSTERN_HOME/db" 2> /dev/null
mkdir -p "$T/disk/quarantine" "$T/disk/db"
ln -s "$T/disk/quarantine" "$T/disk/db" "$POSTERN_HOME/"
mail_file full
put 1 Virus x || fail "put: $(cat "$T/log")"
head -c 100000 /dev/urandom >> "$T/mail"
fill() {  # until put says no
  local mid=$1
  while put "$mid" Virus x; do mid=$((mid + 1)); [ "$mid" -lt 2000 ] || fail "it is never full"; done
  put "$mid" Virus x; code=$?
  [ $code -gt 40 ] && [ $code != 100 ] || fail "exit $code: $(cat "$T/log")"
  FULL=$mid
}
fill 10
expect_equal "$code" 53 "large messages"
# Small ones, until nothing goes any more: neither a file nor a page of the database.
mail_file full
fill 500
quarantine list > "$T/list" || fail "list: $(cat "$T/log")"
expect_equal "$(find "$T/disk/quarantine" -type f | wc -l)" "$(wc -l < "$T/list")" "files and rows"
expect_not_in "$T/list" "^$FULL$TAB"
quarantine show 1 | cmp - "$T/mail" || fail "show on a full disk"
quarantine check > "$T/found" || fail "check on a full disk: $(cat "$T/found" "$T/log")"
# A deletion needs a page for what it notes; where even that is not there it says so, and after some room it works.
quarantine delete 10 || { expect_in "$T/log" 'unable to delete message 10'; find "$T/disk/quarantine" -type f -name 11 -delete; quarantine delete 10 || fail "delete: $(cat "$T/log")"; }
put 3000 Virus x || fail "put after the deletion: $(cat "$T/log")"
store_is_sound || fail "see above"
expect_in <(quarantine list) '^3000'
exit 0
