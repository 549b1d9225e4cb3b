#!/bin/bash
# DSNs of every kind are understood by Python's parser and by flufl.bounce and Mail::DeliveryStatus::BounceParser, list managers' libraries; with 8-bit headers, a message
# in UTF-8 and addresses outside ASCII too. What is not ASCII needs SMTPUTF8 only where the sender's own address is not.
. "$(dirname "$0")/../lib.sh"
/usr/bin/python3 -c 'import flufl.bounce' 2> /dev/null || skip "python3-flufl.bounce is not installed"
make_own_instance
cat > "$T/keep" <<'S'
#!/bin/sh
cat > "$POSTERN_HOME/dsn"
exec 4<&1
{ cat <&4; [ "$POSTERN_EXTRAS" = 5 ] && cat <&5; } | tr '\0' '~' > "$POSTERN_HOME/envelope"
S
chmod +x "$T/keep"
export POSTERN_QUEUE=$T/keep
dsn() {  # REQUEST-AS-PRINTF-FORMAT < MESSAGE: the DSN's content, as dsn.py and flufl.bounce tell it
  printf -- "$1" > "$T/request"
  "$B/postern-bounce" 3< "$T/request" 2> "$T/log" || fail "exit $?: $(cat "$T/log")"
  "$TESTS/dsn.py" "$POSTERN_HOME/dsn" > "$T/told" || fail "$(cat "$T/told" "$POSTERN_HOME/dsn")"
  "$TESTS/dsn.py" --flufl "$POSTERN_HOME/dsn" > "$T/flufl" || fail "flufl.bounce: $(cat "$T/flufl" "$POSTERN_HOME/dsn")"
}
mail one > "$T/message"
said='dmx.y.example[192.0.2.1]:25 said: 550 5.1.1 no'
dsn "m1\0sa@x.example\0a1700000000\0l1700259200\0h\0rb@y.example\0kfailed\0$said\0rc@y.example\0kfailed\0$said\0" < "$T/message"
expect_equal "$(paste -sd, "$T/flufl")" "failed b@y.example,failed c@y.example" "failed"
if perl -MMail::DeliveryStatus::BounceParser -e 1 2> /dev/null; then
  expect_equal "$("$TESTS/bounceparser.pl" "$POSTERN_HOME/dsn" | paste -sd,)" "bounce,b@y.example 550 user_unknown,c@y.example 550 user_unknown" "BounceParser"
fi
dsn "m1\0sa@x.example\0a1700000000\0l1700259200\0f\0rb@y.example\0kdelayed\0$said\0" < "$T/message"
expect_equal "$(paste -sd, "$T/flufl")" "delayed b@y.example" "delayed"
expect_equal "$(sed -n 3,4p "$T/told" | paste -sd,)" "returned headers,b@y.example delayed 4.1.1 until" "delayed"
expect_in "$POSTERN_HOME/dsn" '^Will-Retry-Until: Fri, 17 Nov 2023 22:13:20 \+0000$'
for action in delivered relayed expanded; do
  dsn "m1\0sa@x.example\0a1700000000\0f\0rb@y.example\0k$action\0d\0" < "$T/message"
  expect_equal "$(sed -n 3,4p "$T/told" | paste -sd,)" "returned headers,b@y.example $action 2.0.0" "$action"
  expect_equal "$(grep -c failed "$T/flufl")" 0 "$action is no failure: $(cat "$T/flufl")"
done
expect_equal "$(cat "$POSTERN_HOME/envelope")" "F~Ta@x.example~~ta@x.example~nNEVER~" "the envelope"
# A mixed one.
dsn "m1\0sa@x.example\0a1700000000\0f\0rb@y.example\0kfailed\0$said\0rc@y.example\0kdelayed\0d4.4.1 x\0re@y.example\0kexpanded\0d\0" < "$T/message"
expect_equal "$(sed 1,3d "$T/told" | paste -sd,)" "b@y.example failed 5.1.1,c@y.example delayed 4.4.1 until,e@y.example expanded 2.0.0"
expect_in "$POSTERN_HOME/dsn" '^hello$'

# Bytes outside ASCII in the header that is returned, then in a message that is returned whole.
printf 'Subject: gr\303\274n\nX: %s\n\nbl\303\244tter\n' "$(printf '\351%.0s' {1..200})" > "$T/eight"
dsn "m1\0sa@x.example\0a1\0h\0rb@y.example\0$said\0" < "$T/eight"
LC_ALL=C grep -q '[^ -~]' "$POSTERN_HOME/dsn" && fail "bytes outside ASCII"
python3 -c '
import email, sys
part = email.message_from_binary_file(open(sys.argv[1], "rb")).get_payload()[2]
sys.exit(part.get_payload(decode=True).rstrip(b"\n") != open(sys.argv[2], "rb").read().split(b"\n\n")[0])' "$POSTERN_HOME/dsn" "$T/eight" ||
  fail "the header does not come back as it was"
dsn "m1\0sa@x.example\0a1\0f\0rb@y.example\0$said\0" < "$T/eight"
expect_equal "$(cat "$POSTERN_HOME/envelope")" "F~Ta@x.example~~b8BITMIME~ta@x.example~nNEVER~" "8BITMIME"
expect_in "$POSTERN_HOME/dsn" '^Content-Type: message/rfc822$'
dsn "m1\0sa@x.example\0a1\0u\0f\0rp\303\251@y.example\0outf-8;p\\\\x{E9}@y.example\0$said\0" < "$T/eight"
expect_in "$POSTERN_HOME/dsn" '^Content-Type: message/global$'
expect_in "$POSTERN_HOME/dsn" '^Content-Type: message/delivery-status$'
expect_in "$T/told" '^p\\x\{E9\}@y\.example failed 5\.1\.1 orcpt=p\\x\{E9\}@y\.example$'
# A sender outside ASCII.
dsn "m1\0s\303\274@x.example\0a1\0u\0h\0rp\303\251@y.example\0$said\0" < "$T/eight"
expect_equal "$(cat "$POSTERN_HOME/envelope")" "$(printf 'F~T\303\274@x.example~~b8BITMIME~u~t\303\274@x.example~nNEVER~')" "SMTPUTF8"
expect_in "$POSTERN_HOME/dsn" '^Content-Type: message/global-delivery-status$'
expect_in "$T/told" "^$(printf 'p\303\251')@y.example failed 5.1.1$"
