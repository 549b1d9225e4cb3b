#!/bin/bash
# Each verb of a stage, in a whole instance: from SMTP to the mailbox, the quarantine, the other host, or the sender's notification.
. "$(dirname "$0")/../lib.sh"
TAB=$'\t'
SINK=$(free_port)
make_instance --local home.example --user alice --user bob --user boss
mkdir -p "$POSTERN_HOME/control/templates"
printf 'Subject: found in $Subject\n\nMID $MID from $EnvelopeFrom to $EnvelopeRecipients by $FilterName: $reason\n' > "$POSTERN_HOME/control/templates/found"
mkdir "$T/verdicts"; mkdir -m 777 "$T/seen"
# The verdict for a subject is the file of that name, for the stage `say` or, behind it, for `after`; MID and PARENT say what after saw.
cat > "$T/say" <<X
#!/bin/sh
subject=\$(sed -n 's/^Subject: //p; /^\r*\$/q' | head -n 1)
env | grep '^POSTERN_' > "$T/seen/\$1.\$subject.\$POSTERN_MID"
tr '\0' '|' <&3 >> "$T/seen/\$1.\$subject.\$POSTERN_MID"
cat "$T/verdicts/\$1.\$subject" 2> /dev/null || :
X
chmod 755 "$T/say"
# A stage that one message kills.
cat > "$T/fragile" <<'X'
#!/bin/sh
grep -q '^Subject: poison' && kill -9 $$
exit 0
X
chmod 755 "$T/fragile"
printf '%s\n' "say $T/say say" "fragile $T/fragile on-failure=quarantine" "after $T/say after" > "$POSTERN_HOME/control/stages"
start_sink "$SINK"
echo "DEFAULT users=off" > "$POSTERN_HOME/control/recipientchecks"  # stages see users that are not there
run_instance

verdict() { printf '%b' "$2" > "$T/verdicts/$1"; }
# send SUBJECT RECIPIENT…: its number in $MID.
send() {
  local subject=$1; shift
  printf 'From: <a@other.example>\nX-Old: one\n two\nTo: <alice@home.example>\nX-old : three\nSubject: %s\n\nX-Old: in the body\n' "$subject" |
    inject bob@home.example "$@" > "$T/answer" || fail "$subject: $(cat "$T/answer")"
  MID=$(cut -d' ' -f4 "$T/answer")
}
has() { grep -lx "Subject: $2" $(mailbox "$1") /dev/null | sees .; }
got() { wait_for 30 has "$1" "$2"; FILE=$(grep -lx "Subject: $2" $(mailbox "$1")); expect_equal "$(wc -l <<< "$FILE")" 1 "copies of $2 for $1"; }
seen() { cat "$T/seen/$1."*; }
quarantined() { "$B/postern-quarantine" list | cut -f1,2 | grep -x -- "$1"; }

verdict say.header 'header-remove\tX-OLD\nheader-add\tX-New\tone\\ntwo\n'
send header alice@home.example
got alice header
expect_equal "$(sed -n '/^X-New/,$p' "$FILE" | grep -v '^Received: \|^ \|^\tby\|^\tid')" "X-New: one
${TAB}two
From: <a@other.example>
To: <alice@home.example>
Subject: header

X-Old: in the body" "the message with its header edited"

verdict say.envelope 'sender\tother@home.example\nrecipient-add\tboss@home.example\nrecipient-remove\tnobody@home.example\nrecipient-replace\tgone@home.example\tbob@home.example\n'
send envelope alice@home.example nobody@home.example gone@home.example
for user in alice bob boss; do got $user envelope; expect_in "$FILE" '^Return-Path: <other@home.example>'; done
wait_for 30 logged send "Message finished MID $MID done"
expect_in <(seen after.envelope) '^Fother@home.example\|Talice@home.example\|Tbob@home.example\|Tboss@home.example\|\|$'

verdict say.split 'header-add\tX-Part\tboth\nsplit\tpolicy\tbob@home.example\nheader-add\tX-Part\tstays\ncopy-quarantine\tPolicy\tlook at it\n'
send split alice@home.example bob@home.example
got alice split; expect_equal "$(grep -c '^X-Part: ' "$FILE")" 2 "fields of the part that stays"
got bob split; expect_equal "$(grep '^X-Part: ' "$FILE")" "X-Part: both" "fields of the part that is split off"
OTHER=$(log_of scanq | sed -n "s/^Info: MID $MID was split creating MID \([0-9]*\) due to policy$/\1/p")
expect_in "$T/seen/after.split.$OTHER" "^POSTERN_PARENT_MID=$MID\$"
expect_in "$T/seen/after.split.$OTHER" '^Fbob@home.example\|Tbob@home.example\|\|$'
expect_in "$T/seen/after.split.$MID" '^Fbob@home.example\|Talice@home.example\|\|$'
logged scanq "^Info: MID $OTHER stages say:split fragile:pass after:pass\$" || fail "the stages of the part that was split off"
logged scanq "^Info: MID $MID committed as a set of 3\$" || fail "the set"
COPY=$(log_of scanq | sed -n "s/^Info: MID \([0-9]*\) was generated based on MID $MID by copy-quarantine filter 'say'$/\1/p")
wait_for 30 quarantined "$COPY${TAB}Policy"

verdict say.archive 'archive\tall\nquarantine\tPolicy\tbad\nskip\tafter\n'
send archive alice@home.example
wait_for 30 quarantined "$MID${TAB}Policy"
archived() { "$B/postern-quarantine" list | cut -f2 | grep -x 'archive all'; }
wait_for 30 archived
logged scanq "^Info: MID $MID stages say:quarantine fragile:pass after:skipped\$" || fail "the stages of what was skipped"
grep -qaE 'POSTERN_SKIP=([a-z]+ )*after' "$(find "$POSTERN_HOME"/quarantine -name "$MID")" || fail "the skip is not kept"

verdict say.hold 'hold\t4102444800\tfor the night\n'
send hold alice@home.example
wait_for 30 quarantined "$MID${TAB}Hold"
grep -qa 'POSTERN_HOLD_UNTIL=4102444800' "$(find "$POSTERN_HOME"/quarantine -name "$MID")" || fail "until when it is held"

verdict say.bounce 'bounce\t5.1.1 nobody here\n'
send bounce alice@home.example
told() { grep -l '^Status: 5.1.1' $(mailbox bob) /dev/null; }
wait_for 30 told
expect_in "$(told)" '5.1.1 nobody here'
has alice bounce && fail "what is bounced was delivered"

verdict say.bcc 'bcc\tboss@home.example\n'
send bcc alice@home.example
got alice bcc; expect_not_in "$FILE" boss
got boss bcc
logged scanq "^Info: MID [0-9]* was generated based on MID $MID by bcc filter 'say'\$" || fail "no line of the bcc"

verdict say.notify 'notify\tfound\tboss@home.example\nquarantine\tPolicy\tbad word\n'
send notify alice@home.example
got boss "found in notify"
expect_in "$FILE" "^MID $MID from bob@home.example to alice@home.example by say: bad word\$"
expect_in "$FILE" '^Return-Path: <>'

verdict say.score 'score\t2.5\tBAD_WORD\tviagra\ntag\tKIND\tspam\n'
verdict after.score 'score\t-1\tKNOWN\tx\n'
send score alice@home.example
got alice score
expect_in "$T/seen/after.score.$MID" '^POSTERN_SCORE=2\.5$'
expect_in "$T/seen/after.score.$MID" '^POSTERN_SYMBOLS=BAD_WORD=2\.5$'
expect_in "$T/seen/after.score.$MID" '^POSTERN_TAG_KIND=spam$'
logged scanq "^Info: MID $MID after score -1 KNOWN total 1.5: x\$" || fail "the score in the log"

verdict say.routed "route\\t127.0.0.2:$SINK\\nsource\\t127.0.0.1\\nbounce-profile\\tslow\\n"
send routed dave@far.example
routed() { grep -q 'RCPT TO:<dave@far.example>' "$T/sink"; }
wait_for 30 routed

# W26, W27: one message kills the stage; it is held, and others flow.
send poison alice@home.example
wait_for 30 quarantined "$MID${TAB}Unscanned"
"$B/postern-quarantine" list | grep "^$MID" | sees 'fragile: .*killed by signal 9' || fail "the reason: $("$B/postern-quarantine" list)"
logged scanq "^Info: MID $MID stages say:pass fragile:failed\$" || fail "the stages of what kills one"
send flows alice@home.example
got alice flows

verdict say.nobody 'recipient-remove\talice@home.example\n'
send nobody alice@home.example
wait_for 30 logged scanq "^Info: Message aborted MID $MID Dropped by .*: no recipient is left\$"

wait_for 30 queue_empty
sets_empty() { [ -z "$(find "$POSTERN_HOME/sets" -type f ! -name lock)" ]; }
wait_for 30 sets_empty
exit 0
