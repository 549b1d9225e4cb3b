#!/bin/bash
# Damage of every kind in the queue: the dry run names each and changes nothing, --repair mends it, a second run finds
# nothing, and every message that is whole is delivered once; what is not is kept in damaged/.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/qctl.sh"
make_own_instance --local home.example --user alice
Q=$POSTERN_HOME/queue
umask 077
qcheck() { "$B/postern-qcheck" "$@" > "$T/found" 2> "$T/err"; }
state() { find "$Q" "$POSTERN_HOME/work" -printf '%p %M %U %s %i\n' | sort; find "$Q" -type f -print0 | sort -z | xargs -0 md5sum; }
at() { echo "$Q/$1/$(($2 % 16))/$2"; }
finding() { expect_in "$T/found" "^$1: .*$2"; KINDS=$((KINDS + 1)); }
KINDS=0

qcheck || fail "a fresh queue: exit $?: $(cat "$T/found" "$T/err")"
expect_equal "$(cat "$T/found")" "$(printf '%s: 0 findings\n' "$Q" "$POSTERN_HOME/work" "$POSTERN_HOME/sets")"
qcheck --mend; expect_equal $? 100 "no such option"
qcheck "$T/none"; expect_equal $? 111 "no such directory"
# What is no spool is not taken apart, whatever its directories are called.
mkdir -p "$T/home/control" "$T/home/cur/1" "$T/home/Maildir/new" "$T/home/Maildir/cur" "$T/home/Maildir/tmp"
echo x > "$T/home/Maildir/new/17.mail"
chmod 755 "$T/home"
find "$T/home" -printf '%p %M\n' | sort > "$T/before"
for no_spool in "$T/home" "$T/home/Maildir"; do
  qcheck --repair "$no_spool"; expect_equal $? 111 "repair of what is no spool"
  expect_in "$T/err" 'it is no spool'
done
find "$T/home" -printf '%p %M\n' | sort > "$T/after"
cmp "$T/before" "$T/after" || fail "what is no spool was changed"

for mid in $(seq 1001 1024); do queued $mid "r$mid@far.example"; done
to_cur() { mv "$(at new "$1")" "$(at cur "$1")"; }
for mid in $(seq 1010 1024); do to_cur $mid; done
# Wrong places and names.
mv "$(at new 1001)" "$Q/new/0/1001"
mv "$(at cur 1010)" "$(at cur 1010 | sed 's/1010$/001010/')"
mv "$(at new 1002)" "$Q/new/1002"
mkdir "$Q/cur/17" && mv "$(at cur 1011)" "$Q/cur/17/1011"
# Not whole: cut short, a trailer changed, records changed, the message changed, an unknown state, nothing at all.
truncate -s -10 "$(at new 1003)"
change() { printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }
size() { stat -c %s "$1"; }
change "$(at new 1004)" $(($(size "$(at new 1004)") - 50)) 'x'
change "$(at cur 1012)" $(($(size "$(at cur 1012)") - 70)) 'x'
change "$(at cur 1013)" 3 'X'
change "$(at cur 1014)" $(($(size "$(at cur 1014)") - 64 - 19)) 'Z'
printf '\no hold 1 root 0 .\n' > "$(at defer 1014)"
: > "$(at cur 1015)"
head -c 300 /dev/zero > "$(at new 1099)"
# The same number in new/ and cur/: the same message, one file under two names, another message.
cp "$(at cur 1016)" "$(at new 1016)"
ln "$(at cur 1017)" "$(at new 1017)"
mv "$(at new 1005)" "$(at new 1018)"
# Beside no message; of no use; another message's place.
echo 't 1 1 1' > "$(at defer 4242)"
: > "$Q/tmp/3/3"; touch -d '-40 hours' "$Q/tmp/3/3"
: > "$Q/tmp/4/4"
cp "$(at cur 1019)" "$Q/cur/0/1019"
# Foreign: files, a link, a directory; a FIFO that is none; a lock that is none; a place that is none.
echo x > "$Q/notes"; echo x > "$Q/cur/5/core"; echo x > "$Q/new/readme"; ln -s /etc/passwd "$Q/new/6/6"; mkdir "$Q/new/7/more" "$Q/old"
rm -f "$Q/wake"; echo x > "$Q/wake"; mkdir "$Q/lock"
rmdir "$Q/tmp/9"; rm -rf "$POSTERN_HOME/work/cur"; rmdir "$Q/defer/13"; echo x > "$Q/defer/13"
# Modes.
chmod 0644 "$(at cur 1020)"; chmod 0755 "$Q/tmp/2"
mkdir "$Q/new/a"; 
[ "$(id -u)" != 0 ] || chown 65534:65534 "$(at cur 1021)" "$Q/new/8"

state > "$T/before"
qcheck; expect_equal $? 100 "exit code of the dry run: $(cat "$T/err")"
state > "$T/after"
cmp "$T/before" "$T/after" || { diff "$T/before" "$T/after"; fail "the dry run has changed something"; }
finding "$Q/new/0/1001" "wrong place; would move it to $(at new 1001)"
finding "$Q/cur/2/001010" "wrong place; would move it to $(at cur 1010)"
finding "$Q/new/1002" "wrong place"
finding "$Q/cur/17/1011" "wrong place"
finding "$Q/cur/17" "conf-split"
finding "$(at new 1003)" "no trailer.*would move it to damaged/"
finding "$(at new 1004)" "trailer's checksum"
finding "$(at cur 1012)" "records' checksum"
finding "$(at cur 1013)" "message's checksum"
finding "$(at cur 1014)" "a record is unknown"
finding "$(at cur 1015)" "too short"
finding "$(at new 1099)" "no trailer"
finding "$(at new 1016)" "the same message is in cur/"
finding "$(at new 1017)" "the same file"
finding "$(at new 1018)" "another message of this number"
finding "$(at defer 4242)" "no such message; would remove it"
finding "$Q/tmp/3/3" "never finished"
expect_not_in "$T/found" "tmp/4/4"
finding "$Q/cur/0/1019" "another one is"
for name in notes old; do finding "$Q/$name" "none of a spool's"; done
finding "$Q/new/a" "none of a spool's directories"
finding "$Q/cur/5/core" "no message's number"
finding "$Q/new/readme" "no message's number"
finding "$Q/new/6/6" "no regular file"
finding "$Q/new/7/more" "no regular file"
finding "$Q/wake" "no FIFO"
finding "$Q/lock" "no regular file"
finding "$Q/tmp/9" "missing"
finding "$POSTERN_HOME/work/cur/15" "missing"
finding "$Q/defer/13" "no directory"
finding "$(at cur 1020)" "mode is 0644"
finding "$Q/tmp/2" "mode is 0755"
if [ "$(id -u)" = 0 ]; then
  finding "$(at cur 1021)" "belongs to 65534:65534"
  finding "$Q/new/8" "belongs to 65534:65534"
  KINDS=$((KINDS - 2))
fi
expect_equal "$KINDS" 32 "kinds of damage"

qcheck --repair || { cat "$T/found"; fail "repair: exit $?: $(cat "$T/err")"; }
expect_not_in "$T/found" 'unable to|would '
# A message of a newer version is no damage, and stays.
queued 1100 later@far.example
change "$(at new 1100)" $(($(size "$(at new 1100)") - 20)) '\3'
qcheck --repair; expect_equal $? 111 "repair beside a newer version's file"
expect_in "$T/err" '1100: .*version 3'
rm "$(at new 1100)"
qcheck || { cat "$T/found"; fail "the second run: exit $?"; }
expect_equal "$(cat "$T/found")" "$(for name in notes old; do echo "$Q/$name: it is none of a spool's; it is left alone"; done
  printf '%s: 0 findings\n' "$Q" "$POSTERN_HOME/work" "$POSTERN_HOME/sets")"
for kept in new.11.1003 new.12.1004 cur.4.1012 cur.5.1013 cur.6.1014 defer.6.1014 cur.7.1015 new.11.1099 new.8.1016 cur.0.1019 \
  cur.5.core new.readme new.6.6 new.7.more new.a wake lock defer.13; do
  [ -e "$Q/damaged/$kept" ] || [ -L "$Q/damaged/$kept" ] || fail "damaged/$kept is not there: $(ls "$Q/damaged")"
done
[ -e "$Q/notes" ] && [ -d "$Q/old" ] || fail "what is not the spool's was moved"
[ -e "$Q/tmp/4/4" ] || fail "what is young in tmp/ was removed"

# What is whole goes out, each message once.
echo 'rtaken' > "$T/verdict"
make_deliverer
echo 'rtaken' > "$T/verdict"
start_send
wait_for 30 queue_empty
for mid in 1001 1002 $(seq 1005 1011) $(seq 1016 1024); do echo "r$mid@far.example"; done | sort > "$T/expected"
sed 's/.* //' "$T/deliveries" | sort > "$T/got"
diff "$T/expected" "$T/got" || fail "deliveries"

# While send runs nothing is moved.
echo x > "$Q/cur/5/core"
qcheck --repair; expect_equal $? 111 "repair while send runs"
expect_in "$T/err" 'stop it first'
[ -e "$Q/cur/5/core" ] || fail "it was moved all the same"
qcheck; expect_equal $? 100 "a dry run beside send"
kill_send
qcheck --repair || fail "repair: $(cat "$T/err")"
[ -e "$Q/damaged/cur.5.core.2" ] || fail "a second file of that name: $(ls "$Q/damaged")"
