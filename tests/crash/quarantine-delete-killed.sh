#!/bin/bash
# once: the users do not matter to it
# A deletion that is killed at any step: the message is held as before or gone for good; a release from one of several quarantines, and a
# move, are done or not done.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/quarantine.sh"
need strace
make_store
strace -o /dev/null true 2> /dev/null || skip "strace may not trace here"
mail_file deleted
several() { env POSTERN_MID="$1" "$B/postern-quarantine" put Virus x Policy y < "$T/mail" 3< "$T/envelope" 2> "$T/log" || fail "put: $(cat "$T/log")"; }
several 900
mid=900 kills=0
for call in $DISK_CALLS; do
  for count in $(seq 20); do
    mid=$((mid + 1))
    several $mid
    killed_at "$call" "$count" delete $mid || break
    kills=$((kills + 1))
    names=$(quarantine list --mid $mid | cut -f2 | tr '\n' ' ')
    case $names in
      '') ;;
      'Policy Virus ') quarantine show $mid | cmp - "$T/mail" && quarantine delete $mid || fail "$call $count: delete again" ;;
      *) fail "$call $count: half deleted: $names" ;;
    esac
    store_is_sound || fail "$call $count: see above"
    expect_equal "$(quarantine list | cut -f1 | sort -u)" 900 "$call $count: gone for good"
    expect_equal "$(find "$POSTERN_HOME/quarantine" -type f | grep -vc /900)" 0 "$call $count: files"
  done
done
[ $kills -ge 5 ] || fail "it was killed $kills times only"
for call in fdatasync pwrite64; do
  for count in $(seq 20); do
    mid=$((mid + 1))
    several $mid
    killed_at "$call" "$count" release --from Policy $mid || break
    names=$(quarantine list --mid $mid | cut -f2 | tr '\n' ' ')
    [ "$names" = 'Policy Virus ' ] || [ "$names" = 'Virus ' ] || fail "$call $count: half released: $names"
    killed_at "$call" "$count" move --from Virus --to Other $mid
    names=$(quarantine list --mid $mid | cut -f2 | tr '\n' ' ')
    case $names in 'Policy Virus ' | 'Virus ' | 'Other Policy ' | 'Other ') ;; *) fail "$call $count: half moved: $names" ;; esac
    quarantine delete $mid || fail "delete $mid"
  done
done
store_is_sound || fail "see above"
exit 0
