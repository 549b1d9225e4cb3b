#!/bin/bash
# sendmail's other modes: -bs is an SMTP conversation on descriptors 0 and 1 whose messages go through pickup; -bp lists the queue for
# those who may see it; a daemon there is none.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/inject.sh"
start_pickup
printf 'EHLO me\r\nMAIL FROM:<a@far.example> BODY=8BITMIME\r\nRCPT TO:<b@far.example>\r\nRCPT TO:<alice@mx.example.org>\r\nDATA\r\nSubject: x\r\n\r\n..dot\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<c@far.example>\r\nDATA\r\nSubject: y\r\n\r\nsecond\r\n.\r\nQUIT\r\n' |
  me "$B/postern-sendmail" -bs > "$T/smtp" 2> "$T/err" || fail "-bs: $? $(cat "$T/err")"
tr -d '\r' < "$T/smtp" > "$T/replies"
in_order "$T/replies" '^220 mx\.example\.org ESMTP$' '^250 .*SIZE' '^250 ' '^250 ' '^250 ' '^354 ' '^250 2\.0\.0 ok [0-9]+$' '^250 ' '^250 ' '^354 ' '^250 2\.0\.0 ok' '^221 '
expect_equal "$(cat "$T/err")" "" "words on descriptor 2"
number_kept 2
first=$(grep -l '^Subject: x' "$T"/kept/*.message) || fail "no first message"
in_order "$first" "^Received: \(invoked by uid $U\)$" '^Received: from me \(localhost \[127\.0\.0\.1\]\)$' '^Subject: x$' '^\.dot$'
expect_equal "$(tr '\0' ' ' < "${first%message}envelope")" "Fa@far.example Tb@far.example Talice@mx.example.org  "
smtpd_mid=$(sed -n 's/^250 2.0.0 ok \([0-9]*\)$/\1/p' "$T/replies" | head -n 1)
expect_in "$T/pickup.log" "^Info: MID $(basename "${first%.message}") UID $U called MID $smtpd_mid by its sender$"
# A refusal is the reply.
printf 'D554 5.7.1 a virus' > "$T/refuse"
printf 'HELO me\r\nMAIL FROM:<a@far.example>\r\nRCPT TO:<b@far.example>\r\nDATA\r\n\r\nx\r\n.\r\nQUIT\r\n' | me "$B/postern-sendmail" -bs > "$T/smtp" 2>&1
expect_in "$T/smtp" '^554 5\.7\.1 a virus'
rm "$T/refuse"

for words in -bd "-bd -q30m" -q1h -bv; do
  # shellcheck disable=SC2086 # words
  me "$B/postern-sendmail" $words > "$T/out" 2>&1 < /dev/null; expect_equal $? 64 "$words: $(cat "$T/out")"
  expect_in "$T/out" '^Critical: postern-sendmail: unable to start: '
done
me "$B/postern-sendmail" -z > "$T/out" 2>&1; expect_equal $? 64 "-z"
expect_in "$T/out" 'there is no option -z'
# The queue is its user's.
"$B/postern-sendmail" -bp > "$T/out" 2>&1; expect_equal $? 77 "-bp without a queue: $(cat "$T/out")"
mkdir -p "$POSTERN_HOME"/queue/{new,cur,defer,tmp}/{0..15}
mail one | MID=4711 queue_message a@far.example b@far.example 2> /dev/null || fail "queue"
ln -s "$B/postern-sendmail" "$T/mailq"
"$T/mailq" > "$T/out" 2>&1 || fail "mailq: $(cat "$T/out")"
expect_in "$T/out" '4711.*b@far\.example'
if [ "$(id -u)" = 0 ]; then
  chmod 700 "$POSTERN_HOME/queue"
  me "$B/postern-sendmail" -bp > "$T/out" 2>&1; expect_equal $? 77 "-bp: $(cat "$T/out")"
  me "$B/postern-sendmail" -q > "$T/out" 2>&1; expect_equal $? 77 "-q: $(cat "$T/out")"
fi
exit 0
