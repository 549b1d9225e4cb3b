#!/bin/bash
# Bounce tags: made once, where a message enters the queue, for destinations with bounce_validation=on; the same at each try, never two,
# none for strangers' senders, notifications and what would be too long. Keys are exchanged without losing what is under way; a DSN goes
# to the sender without his tag.
. "$(dirname "$0")/../lib.sh"
need python3
SINK=$(free_port)
make_instance --local home.example --user alice --route "tagged.example:127.0.0.2:$SINK" --route "plain.example:127.0.0.2:$SINK"
echo none > "$POSTERN_HOME/control/stages"
printf 'DEFAULT bounce_validation=off\ntagged.example bounce_validation=on\n' > "$POSTERN_HOME/control/destinations"
KEYS=$POSTERN_HOME/secrets/posterng/bouncekeys
keys() {
  (umask 077; printf '%s\n' "$@" > "$KEYS.new")
  chown --reference="$POSTERN_HOME/secrets/posterng" "$KEYS.new"
  mv "$KEYS.new" "$KEYS"
}
keys '3 a-first-secret'
start_sink "$SINK" 'rcpt:later@tagged.example=451 4.2.1 later' 'rcpt:nobody@tagged.example=550 5.1.1 nobody'
run_instance
signq() { if [ "$(id -u)" = 0 ]; then setpriv --reuid posterng --regid postern --clear-groups "$B/postern-signq" "$@"; else "$B/postern-signq" "$@"; fi; }
# The tag as the draft has it, by another implementation. tag KEY SECRET ADDRESS
tag() {
  python3 - "$@" << 'P'
import hashlib, hmac, sys, time
key, secret, address = sys.argv[1:]
front = "%s%03d" % (key, (int(time.time()) // 86400 + 7) % 1000)
print("prvs=%s%s=%s" % (front, hmac.new(secret.encode(), (front + address).encode(), hashlib.sha1).hexdigest()[:6], address))
P
}
# senders RECIPIENT: whom the sink was told mail for it is from.
senders() { awk -v to="< RCPT TO:<$1>" '/^< MAIL FROM:/ { from = $3; sub(/^FROM:/, "", from) } index($0, to) == 1 { print from }' "$T/sink" | sort -u; }
arrived() { grep -q "^< RCPT TO:<$1>" "$T/sink"; }

mail one > "$T/message"
first=$(tag 3 a-first-secret alice@home.example)
inject alice@home.example x@tagged.example y@plain.example later@tagged.example < "$T/message" > "$T/answer" || fail "$(cat "$T/answer")"
wait_for 30 arrived later@tagged.example
wait_for 30 arrived y@plain.example
expect_equal "$(senders x@tagged.example)" "<$first>" "to a destination with bounce_validation"
expect_equal "$(senders y@plain.example)" "<alice@home.example>" "to one without"
inject someone@other.example a@tagged.example < "$T/message" > /dev/null || fail "a stranger's sender"
inject "$first" b@tagged.example < "$T/message" > /dev/null || fail "a tagged sender"
inject '' c@tagged.example < "$T/message" > /dev/null || fail "a notification"
long=$(printf 'l%.0s' $(seq 60))@home.example
inject "$long" d@tagged.example < "$T/message" > /dev/null || fail "a long sender"
for row in "a <someone@other.example>" "b <$first>" "c <>" "d <$long>"; do
  wait_for 30 arrived "${row%% *}@tagged.example"
  expect_equal "$(senders "${row%% *}@tagged.example")" "${row#* }" "sender"
done
wait_for 30 logged signq "From: <$long> gets no tag: its local-part is too long"

# Case of the domain gets lost where the bounce comes back.
capital=$(tag 3 a-first-secret Al.B@home.example)
inject Al.B@Home.Example g@tagged.example < "$T/message" > /dev/null || fail "capital letters in the domain"
wait_for 30 arrived g@tagged.example
expect_equal "$(senders g@tagged.example)" "<$capital>" "tagged in lower case"
expect_equal "$(signq check "${capital%@*}@HOME.example" 2> /dev/null | cut -f1)" valid

# A new key: what waits keeps its tag, new mail gets the new one, and both are good.
keys '4 a-second-secret' '3 a-first-secret'
inject alice@home.example e@tagged.example < "$T/message" > /dev/null || fail "with the new key"
wait_for 30 arrived e@tagged.example
second=$(tag 4 a-second-secret alice@home.example)
expect_equal "$(senders e@tagged.example)" "<$second>" "the new key's"
tries=$(grep -c '^< RCPT TO:<later@' "$T/sink")
tried_again() { [ "$(grep -c '^< RCPT TO:<later@' "$T/sink")" -gt "$tries" ]; }
try_now
wait_for 30 tried_again
expect_equal "$(senders later@tagged.example)" "<$first>" "at the second try"
for row in "$first valid" "$second valid" "prvs=alice=$(cut -c6-15 <<< "$first")@home.example valid" "alice@home.example untagged" \
  "$(tag 4 a-first-secret alice@home.example) forged"; do
  expect_equal "$(signq check "${row% *}" 2> /dev/null | tr '\t' ' ')" "${row##* } alice@home.example" "check"
done

# What comes back as a DSN of our own goes to the sender himself.
inject alice@home.example nobody@tagged.example < "$T/message" > /dev/null || fail "to nobody"
told() { [ "$(mailbox alice | wc -l)" = 1 ]; }
wait_for 30 told
expect_in "$(mailbox alice)" '^To: <alice@home\.example>'
# Without a key, mail that is to be tagged waits.
keys '# none'
inject alice@home.example f@tagged.example < "$T/message" > "$T/answer" && fail "untagged to a destination with bounce_validation"
expect_in "$T/answer" '^451 4\.3\.5 '
inject alice@home.example g@plain.example < "$T/message" > /dev/null || fail "to a destination without"
exit 0
