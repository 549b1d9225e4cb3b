#!/bin/bash
# R19: a bounce to a valid tag reaches the untagged address, and so does what others send to a tagged one; smtpd asks signq, which has the
# keys. Policies refuse and mark bounces without a valid tag, by sender group; automatic replies may be let through. Without keys nobody is
# held to a tag.
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
printf 'STRICT ACCEPT bounce_tags=reject\nMARKED ACCEPT bounce_tags=header\nLAX ACCEPT bounce_tags=off\nREPLIES ACCEPT bounce_tags=reject untagged_replies_valid=on\n' > "$POSTERN_HOME/control/policies"
printf 'STRICTLY: 127.0.0.3 $STRICT\nMARKING: 127.0.0.4 $MARKED\nREPLYING: 127.0.0.5 $REPLIES\nALL: $LAX\n' > "$POSTERN_HOME/control/hat"
"$B/postern-hat" compile > "$T/compile" 2>&1 || fail "$(cat "$T/compile")"
run_instance
valid=$(tag a-first-secret 6)
old=$(tag a-first-secret -2)
forged=$(tag another-secret 6)
delivered=0
# takes SENDER RECIPIENT: it is taken, and arrives; the letter is $LETTER.
takes() {
  delivered=$((delivered + 1))
  mail "letter $delivered." | inject "$1" "$2" > "$T/answer" || fail "$1 to $2: $(cat "$T/answer")"
  arrived() { [ "$(mailbox alice | wc -l)" = $delivered ]; }
  wait_for 30 arrived
  LETTER=$(grep -lF "Subject: letter $delivered." $(mailbox alice))
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
takes '' alice@home.example
expect_in "$LETTER" '^X-Postern-Invalid-Bounce: untagged$'
wait_for 30 logged smtpd 'invalid bounce, rcpt address <alice@home\.example> marked by bounce verification\.'

# Automatic replies, by their own word.
FROM_ADDRESS=127.0.0.5
refuses '' alice@home.example '^550 5\.7\.1 this is no bounce'
refuses '' "$forged" '^550 5\.7\.1 this is no bounce'
printf 'From: <a@other.example>\nAuto-Submitted: auto-replied\nSubject: away\n\nbye\n' | inject '' alice@home.example > "$T/answer" || fail "an automatic reply: $(cat "$T/answer")"
delivered=$((delivered + 1))
wait_for 30 arrived
expect_in "$(grep -l '^Subject: away' $(mailbox alice))" '^X-Postern-Invalid-Bounce: untagged$'

# Nothing is tagged here any more.
rm "$POSTERN_HOME/secrets/posterng/bouncekeys"
svc -h "$POSTERN_HOME/service/signq"
FROM_ADDRESS=127.0.0.3
let_in() { mail "without keys" | inject '' alice@home.example > "$T/answer"; }
wait_for 30 let_in
exit 0
