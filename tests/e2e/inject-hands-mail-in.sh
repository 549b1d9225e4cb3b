#!/bin/bash
# A user of this host hands mail in: completed, stamped with his uid, scanned, queued, delivered here and sent to another host. A virus
# is refused with the reason on descriptor 2; what is wrong is said, and the exit code tells whether to try again.
. "$(dirname "$0")/../lib.sh"
need python3
make_signatures
SINK=$(free_port)
start_instance --local mx.example.org --user alice --clamdb "$T/clamdb" --route "far.example:127.0.0.2:$SINK"
start_sink "$SINK"
cp "$T/eicar.com" "$T/virus"
# As an ordinary user, where we can become one.
if [ "$(id -u)" = 0 ]; then U=65534; else U=$(id -u); fi
me() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=$U --regid=65534 --clear-groups env -i PATH="$PATH" POSTERN_HOME="$POSTERN_HOME" USER=carl "$@"; else env -i PATH="$PATH" POSTERN_HOME="$POSTERN_HOME" USER=carl "$@"; fi; }
delivered() { [ "$(mailbox alice | wc -l)" = "$1" ]; }
newest() { ls -t $(mailbox alice) | head -n 1; }

# Recipients from the header, bare and completed; Bcc goes, Return-Path decides on the sender.
printf 'To: alice (home), bob@far.example\nBcc: dora@far.example\nReturn-Path: <bounces@far.example>\nContent-Length: 7\nSubject: one\n\nhello\n.\n..\nend\n' |
  me "$B/postern-inject" > "$T/out" 2>&1 || fail "inject: $? $(cat "$T/out")"
expect_equal "$(cat "$T/out")" "" "a word where all is well"
wait_for 30 delivered 1
wait_for 30 grep -q '^Subject: one' "$T/sink.messages"
f=$(newest)
in_order "$f" '^Received: \(invoked by uid '$U'\)$' '^  by mx\.example\.org with local id [0-9]+;$' '^To: alice@mx\.example\.org \(home\), bob@far\.example$' \
  '^Subject: one$' '^Date: ' '^From: carl@mx\.example\.org$' '^Message-ID: <[0-9]+\.postern@mx\.example\.org>$' '^hello$' '^\.$' '^\.\.$' '^end$'
expect_not_in "$f" '^(Bcc|Content-Length):'
expect_in "$f" '^Return-Path: <bounces@far\.example>'
expect_equal "$(grep -c '^Return-Path' "$f")" 1 "Return-Path fields"
m=$(sed -n 's/^  by mx.example.org with local id \([0-9]*\);$/\1/p' "$f")
log_of pickup > "$T/pickup"
in_order "$T/pickup" "^Info: Start MID $m UID $U$" "^Info: MID $m UID $U From: <bounces@far\.example>$" "^Info: MID $m UID $U RID 0 To: <alice@mx\.example\.org>$" \
  "^Info: MID $m UID $U RID 1 To: <bob@far\.example>$" "^Info: MID $m UID $U RID 2 To: <dora@far\.example>$" "^Info: MID $m ready [0-9]+ bytes from <bounces@far\.example>$"
wait_for 30 logged scanq "^Info: MID [0-9]+ was split creating MID [0-9]+ due to direction out$|^Info: MID $m was split"

# Arguments win over the header; -f names the sender; QMAILNAME and its like the author.
printf 'To: nobody@far.example\nSubject: two\n\nhi\n' | me QMAILNAME='C. "x" D' QMAILUSER=cd QMAILHOST=other "$B/postern-inject" -fs@far.example alice || fail "two"
wait_for 30 delivered 2
expect_in "$(newest)" '^From: "C\. \\"x\\" D" <cd@other\.example\.org>$'
expect_in "$(newest)" '^Return-Path: <s@far\.example>'
expect_not_in <(log_of pickup) 'nobody@far'

# A virus is refused, and the user is told.
python3 "$TESTS/mail.py" base64 "$T/virus" > "$T/infected"
me "$B/postern-inject" alice < "$T/infected" > "$T/out" 2>&1; expect_equal $? 100 "virus: $(cat "$T/out")"
expect_in "$T/out" '554 5\.7\.1 '
me "$B/postern-sendmail" -i alice < "$T/infected" > "$T/out" 2>&1; expect_equal $? 69 "virus: $(cat "$T/out")"
expect_in "$T/out" '554 5\.7\.1 '
wait_for 30 logged pickup "^Info: MID [0-9]+ UID $U rejected: 554 5\.7\.1 "

# Wrong input.
printf 'Subject: x\n\nx\n' | me "$B/postern-inject" > "$T/out" 2>&1; expect_equal $? 100 "no recipient"
expect_in "$T/out" 'none was named'
printf 'To: a b\n\nx\n' | me "$B/postern-inject" > "$T/out" 2>&1; expect_equal $? 100 "no list"
me "$B/postern-inject" -x < /dev/null > "$T/out" 2>&1; expect_equal $? 100 "usage"
expect_in "$T/out" 'usage: postern-inject'

# Nobody there: nothing is lost in silence.
stop_service scanq
mkdir -p "$T/other/control"
{ printf 'Subject: x\n\nx\n' | me POSTERN_HOME="$T/other" "$B/postern-inject" alice@far.example > "$T/out2" 2>&1; echo $? > "$T/code"; } &
printf 'Subject: x\n\nx\n' | me "$B/postern-sendmail" alice > "$T/out" 2>&1; expect_equal $? 75 "no scanq"
wait $!
expect_in "$T/out" '451 4\.3\.0 '
expect_equal "$(cat "$T/code")" 111 "no pickup"
expect_in "$T/out2" 'run/pickup: No such file'
expect_in "$T/out2" '451 4\.3\.0 '
delivered 2 || fail "$(mailbox alice | wc -l) messages"
exit 0
