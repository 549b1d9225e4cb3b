#!/bin/bash
# postern-vdeliver keeps Maildir++ quotas: a full mailbox bounces or defers, room counts at once, the file maildirsize is the one
# that maildrop's deliverquota keeps too, and the trash does not count.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../as_user.sh"
. "$(dirname "$0")/../local.sh"
need deliverquota.maildrop

make_mailbox u1
make_queue_program
D=$T/u1
M=$D/ann
printf 'Subject: x\n\n%01000d\n' 0 > "$T/message"
table() { as_user sh -c "cat > '$D/mailboxes'; cd '$D' && '$B/postern-newv'" || fail "postern-newv"; }
dot -default < <(echo "|PATH=$B:\$PATH; exec postern-vdeliver")
dot -later < <(echo "|PATH=$B:\$PATH; exec postern-vdeliver --full defer --user ann")
messages() { find "$M/new" "$M/cur" -type f | wc -l; }

echo 'ann ./ann/ quota=10000S,4C' | table
for i in 1 2 3 4; do deliver 0 u1-ann - ann < "$T/message"; done
size=$(stat -c %s "$(find "$M/new" -type f | head -n 1)")
expect_equal "$(head -n 1 "$M/maildirsize")" '10000S,4C' "the quota in maildirsize"
expect_equal "$(awk 'NR > 1 { bytes += $1; count += $2 } END { print bytes, count }' "$M/maildirsize")" "$((4 * size)) 4" "what it adds up to"
deliver 100 u1-ann - ann < "$T/message"; expect_in "$T/said" '^5\.2\.2 .*the mailbox is full$'
deliver 111 u1-later - later < "$T/message"; expect_in "$T/said" '^4\.2\.2 .*the mailbox is full$'
expect_equal "$(messages)" 4 "messages in a full mailbox"

# A reader that deletes without telling: "full" is not believed before it was counted anew.
printf '0 0\n' | as_user tee -a "$M/maildirsize" > /dev/null
as_user sh -c "rm \"\$(find '$M/new' -type f | head -n 1)\""
deliver 0 u1-ann - ann < "$T/message"
deliver 100 u1-ann - ann < "$T/message"
# Trash does not count; folders do.
as_user sh -c "f=\$(find '$M/new' -type f | head -n 1); mv \"\$f\" '$M/cur/'\${f##*/}:2,ST; rm '$M/maildirsize'"
deliver 0 u1-ann - ann < "$T/message"
deliver 100 u1-ann - ann < "$T/message"
as_user sh -c "mkdir -p '$M/.Trash/cur' '$M/.Trash/new' '$M/.Old/cur' '$M/.Old/new'; mv '$M'/new/* '$M/.Trash/cur/'; rm '$M/maildirsize'"
for i in 1 2 3 4; do deliver 0 u1-ann - ann < "$T/message"; done
as_user sh -c "mv '$M'/new/* '$M/.Old/cur/'; rm '$M/maildirsize'"
deliver 100 u1-ann - ann < "$T/message"

# Bytes: one message that would be too much, a smaller one that fits; a new quota counts at once.
echo 'ann ./ann/ quota=5K' | table
deliver 100 u1-ann - ann < "$T/message"
printf 'small\n\n' > "$T/small"
deliver 0 u1-ann - ann < "$T/small"
echo 'ann ./ann/ quota=1M' | table
deliver 0 u1-ann - ann < "$T/message"
expect_equal "$(head -n 1 "$M/maildirsize")" 1048576S "the new quota"

# maildrop's program in the same Maildir: each reads what the other wrote. (Its -q has no such form: the file has the quota.)
before=$(awk 'NR > 1 { bytes += $1; count += $2 } END { print bytes + 0, count + 0 }' "$M/maildirsize")
as_user deliverquota.maildrop "$M" < "$T/message" || fail "deliverquota"
after=$(awk 'NR > 1 { bytes += $1; count += $2 } END { print bytes + 0, count + 0 }' "$M/maildirsize")
expect_equal "${after#* }" $((${before#* } + 1)) "messages counted by deliverquota"
[ "${after% *}" -gt "${before% *}" ] || fail "deliverquota counted no bytes: $before, $after"
deliver 0 u1-ann - ann < "$T/message"
echo "ann ./ann/ quota=1M,$((${after#* } + 2))C" | table
deliver 0 u1-ann - ann < "$T/message"
deliver 100 u1-ann - ann < "$T/message"
as_user deliverquota.maildrop "$M" < "$T/message" > "$T/said" 2>&1
expect_equal $? 77 "deliverquota's exit code for a full mailbox: $(cat "$T/said")"

# Garbage in maildirsize is counted anew; a symbolic link is not followed.
for garbage in '' nonsense '1M' $'1048576S\n-5 -5'; do
  printf '%s' "$garbage" | as_user tee "$M/maildirsize" > /dev/null
  deliver 100 u1-ann - ann < "$T/message"
done
echo precious | as_user tee "$D/precious" > /dev/null
as_user ln -sf ../precious "$M/maildirsize"
deliver 100 u1-ann - ann < "$T/message"
expect_equal "$(cat "$D/precious")" precious "what a link led to"
