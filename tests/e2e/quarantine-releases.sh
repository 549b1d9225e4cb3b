#!/bin/bash
# once: the users do not matter to it
# A release hands the message on under a new mid, to the scanner or, from Spam, to the queue; the store forgets it only
# after the receiver took it.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/quarantine.sh"
make_store
for kind in scanner queue; do
  mkdir -p "$POSTERN_HOME/$kind"
  cat > "$T/$kind" <<S
#!/bin/sh
[ -f "\$POSTERN_HOME/refuse" ] && { cat "\$POSTERN_HOME/refuse" >&6; exit 82; }
[ -f "\$POSTERN_HOME/die" ] && kill -9 \$\$
cd "\$POSTERN_HOME/$kind" || exit 111
cat > "\$POSTERN_MID.message"
cat <&1 > "\$POSTERN_MID.envelope"
env > "\$POSTERN_MID.env"
S
  chmod +x "$T/$kind"
done
export POSTERN_RELEASE_TO=$T/scanner POSTERN_QUEUE=$T/queue

mail_file one
put 482 Virus Eicar POSTERN_DIRECTION=in TCPREMOTEIP=192.0.2.1 POSTERN_ICID=77 POSTERN_TAG_A=b || fail "put"
quarantine release 482 > "$T/out" || fail "release: exit $?: $(cat "$T/log")"
new=$(sed -n 's/^482 released as \([0-9]*\) accepted$/\1/p' "$T/out")
[ -n "$new" ] && [ "$new" != 482 ] || fail "printed: $(cat "$T/out")"
expect_equal "$(cat "$T/log")" "Info: MID 482 released from quarantine \"Virus\" (by operator)
Info: MID 482 rewritten to $new by quarantine \"Virus\"" "log"
cmp "$T/mail" "$POSTERN_HOME/scanner/$new.message" || fail "the message"
cmp "$T/envelope" "$POSTERN_HOME/scanner/$new.envelope" || fail "the envelope"
for pair in POSTERN_RELEASED=Virus POSTERN_DIRECTION=in TCPREMOTEIP=192.0.2.1 POSTERN_ICID=77 "POSTERN_MID=$new" POSTERN_WORK=quarantine/482; do
  grep -qx "$pair" "$POSTERN_HOME/scanner/$new.env" || fail "the receiver did not get $pair"
done
expect_not_in "$POSTERN_HOME/scanner/$new.env" '^POSTERN_(TAG_|REASON|QUARANTINE|DEFERRED|EXEMPT)'
expect_equal "$(quarantine list)" "" "after the release"
quarantine release 482; expect_equal $? 100 "a second release"

put 490 Spam GTUBE || fail "put"
quarantine release 490 > "$T/out" || fail "release from Spam: exit $?"
new=$(sed -n 's/^490 released as \([0-9]*\) queued$/\1/p' "$T/out")
[ -f "$POSTERN_HOME/queue/$new.message" ] || fail "Spam did not go to the queue"

put 491 Virus a && put 492 Policy b || fail "put"
echo 'Z451 4.7.1 later' > "$POSTERN_HOME/refuse"
quarantine release 491 492 > "$T/out"; expect_equal $? 111 "a receiver that defers"
expect_equal "$(cat "$T/out")" "" "nothing was released"
expect_in "$T/log" 'unable to release message 491: .* 451 4.7.1 later; it stays in quarantine'
echo 'D554 5.7.1 still a virus' > "$POSTERN_HOME/refuse"
quarantine release 491; expect_equal $? 100 "a receiver that refuses"
rm "$POSTERN_HOME/refuse"; touch "$POSTERN_HOME/die"
quarantine release 491; expect_equal $? 111 "a receiver that dies"
rm "$POSTERN_HOME/die"
expect_equal "$(quarantine list | cut -f1)" "491
492" "nothing is lost"
POSTERN_RELEASE_TO=$T/none quarantine release 491; expect_equal $? 111 "no receiver"
env -u POSTERN_RELEASE_TO "$B/postern-quarantine" release 491 2> "$T/log"; expect_equal $? 111 "no @scanq"

# Only one at a time: one holds the message, the other says so.
need flock
flock "$(find "$POSTERN_HOME/quarantine" -type f -name 491)" "$B/postern-quarantine" release 491 2> "$T/log"
expect_equal $? 111 "a locked message"
expect_in "$T/log" 'another process is releasing or deleting it'
quarantine release 491 492 > "$T/out" || fail "release of two: exit $?: $(cat "$T/log")"
expect_equal "$(cut -d' ' -f1-3 "$T/out")" "491 released as
492 released as" "two at once"

# A file that the disk has damaged is not handed on.
put 493 Virus a || fail "put"
printf X | dd of="$(find "$POSTERN_HOME/quarantine" -type f -name 493)" conv=notrunc bs=1 seek=3 2> /dev/null
quarantine release 493; expect_equal $? 111 "a damaged message"
expect_in "$T/log" 'damaged on the disk'
exit 0
