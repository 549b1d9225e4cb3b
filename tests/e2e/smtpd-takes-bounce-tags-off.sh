#!/bin/bash
# R19: a bounce to a valid tag reaches the untagged address, and so does what others send to a tagged one; smtpd asks signq, which has the
# keys. Where postern-hat is there, policies refuse and mark bounces without a valid tag.
. "$(dirname "$0")/../lib.sh"
need python3
make_instance --local home.example --user alice
echo none > "$POSTERN_HOME/control/stages"
(umask 077; echo '3 a-first-secret' > "$POSTERN_HOME/secrets/posterng/bouncekeys")
chown --reference="$POSTERN_HOME/secrets/posterng" "$POSTERN_HOME/secrets/posterng/bouncekeys"
# tag SECRET DAYS: alice's tag that ends in so many days, as the draft has it, by another implementation.
tag() {
  python3 - "$@" << 'P'
import hashlib, hmac, sys, time
secret, days = sys.argv[1], int(sys.argv[2])
front = "3%03d" % ((int(time.time()) // 86400 + days) % 1000)
print("prvs=%s%s=alice@home.example" % (front, hmac.new(secret.encode(), (front + "alice@home.example").encode(), hashlib.sha1).hexdigest()[:6]))
P
}
FROM_ADDRESS=127.0.0.3
(cd "$POSTERN_HOME/control" && echo ':allow' > tcp.smtp && tcprules tcp.smtp.cdb tcp.smtp.tmp < tcp.smtp) || fail "tcprules"
if [ -x "$B/postern-hat" ]; then
  printf 'STRICT ACCEPT bounce_tags=reject\nMARKED ACCEPT bounce_tags=header\nLAX ACCEPT bounce_tags=off\n' > "$POSTERN_HOME/control/policies"
  printf 'STRICTLY: 127.0.0.3 $STRICT\nMARKING: 127.0.0.4 $MARKED\nALL $LAX\n' > "$POSTERN_HOME/control/hat"
  "$B/postern-hat" compile > "$T/compile" 2>&1 || fail "$(cat "$T/compile")"
fi
run_instance
valid=$(tag a-first-secret 6)
old=$(tag a-first-secret -2)
forged=$(tag another-secret 6)
delivered=0
# takes SENDER RECIPIENT: it is taken, and arrives; the letter is $LETTER.
takes() {
  mail "to $2" | inject "$1" "$2" > "$T/answer" || fail "$1 to $2: $(cat "$T/answer")"
  delivered=$((delivered + 1))
  arrived() { [ "$(mailbox alice | wc -l)" = $delivered ]; }
  wait_for 30 arrived
  LETTER=$(grep -lF "Subject: to $2" $(mailbox alice) | tail -n 1)
  expect_in "$LETTER" '^Delivered-To: .*alice@home\.example$'
}
refuses() {
  mail "to $2" | inject "$1" "$2" > "$T/answer" && fail "$1 to $2 is taken"
  expect_in "$T/answer" "$3"
}
FROM_ADDRESS=127.0.0.9
takes '' "$valid"
takes someone@other.example "$old"
takes '' alice@home.example
takes '' "$forged"
stop_service signq
takes someone@other.example "$valid"
takes '' alice@home.example
start_service signq
[ -x "$B/postern-hat" ] || exit 0

FROM_ADDRESS=127.0.0.3
takes '' "$(tag a-first-secret 5)"
takes someone@other.example "$(tag another-secret 5)"
refuses '' alice@home.example '^550 5\.7\.1 this is no bounce'
refuses '' "$forged" '^550 5\.7\.1 this is no bounce'
refuses '' "$old" '^550 5\.7\.1 this is no bounce'
wait_for 30 logged smtpd 'MID [0-9]+ ICID [0-9]+ invalid bounce, rcpt address <alice@home\.example> rejected by bounce verification\.'
stop_service signq
refuses '' "$valid" '^451 4\.3\.0'
start_service signq
FROM_ADDRESS=127.0.0.4
takes '' "$(tag another-secret 4)"
expect_in "$LETTER" '^X-Postern-Invalid-Bounce: forged$'
takes '' "$(tag a-first-secret 4)"
expect_not_in "$LETTER" '^X-Postern-Invalid-Bounce'
exit 0
