#!/bin/bash
# A stage in 20 lines of shell: what it is given, and what each verb does to the message. Row A07.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/scanq.sh"

# The one that an operator would write.
stage subjects <<'S'
subject=$(sed -n 's/^Subject: //p; /^$/q' | head -n 1)
case $subject in
  *lottery*) printf 'reject\t554\t5.7.1 no lotteries\n' ;;
  *junk*)    printf 'drop\tjunk\n' ;;
  *odd*)     printf 'quarantine\tPolicy\todd subject\n' ;;
  *later*)   printf 'defer\t4.7.0 ask again\n' ;;
  *)         printf 'header-add\tX-Subject-Seen\t%s\n' "$subject"
             printf 'tag\tSUBJECT\t%s\n' "${subject%% *}" ;;
esac
S
stage second <<'S'
cat <&3 | tr '\0' '|' > "$POSTERN_HOME/seen.envelope"
cat > "$POSTERN_HOME/seen.message"
env > "$POSTERN_HOME/seen.env"
echo "a line for the log" >&2
if [ "$POSTERN_TAG_SUBJECT" = rewrite ]; then
  sed 's/hello/goodbye/' "$POSTERN_HOME/seen.message" >&4
  echo message
fi
S
stages "subjects $T/subjects" "second $T/second"

scan || fail "exit code $?: $(cat "$T/log")"
expect_equal "$(queued)" "X-Subject-Seen: one
$(cat "$T/message")" "the message in the queue"
cmp <(queued) "$POSTERN_HOME/seen.message" || fail "the second stage sees the message as edited so far"
expect_equal "$(cat "$POSTERN_HOME/seen.envelope")" "Fa@other.example|Tb@mx.example.org||" "descriptor 3"
for pair in POSTERN_TAG_SUBJECT=one POSTERN_MID=4711 POSTERN_DIRECTION=in TCPREMOTEIP=192.0.2.1; do
  grep -qx "$pair" "$POSTERN_HOME/seen.env" || fail "the second stage did not get $pair"
done
expect_in "$T/log" '^a line for the log$'

while read -r subject code reason; do
  mail "$subject" > "$T/message"
  rm -f "$POSTERN_HOME/seen.message"
  scan; expect_equal $? "$code" "exit code for $subject: $(cat "$T/log")"
  expect_equal "$(cat "$T/reason")" "$reason" "reason for $subject"
  expect_equal "$(spool_files new)" "" "queue after $subject"
  if [ "$subject" = odd ]; then
    [ -e "$POSTERN_HOME/seen.message" ] || fail "quarantine only marks: later stages still run"
    expect_equal "$("$B/postern-quarantine" list | cut -f1,2)" "4711${TAB}Policy" "held"
  else
    [ -e "$POSTERN_HOME/seen.message" ] && fail "a stage ran behind a final verb ($subject)"
    nothing_kept "$subject"
  fi
  case $subject in
    lottery) expect_in "$T/log" '^Info: MID 4711 rejected by subjects: 554 5.7.1 no lotteries$' ;;
    later) expect_in "$T/log" '^Info: MID 4711 deferred by subjects: 451 4.7.0 ask again$' ;;
    junk) expect_in "$T/log" '^Info: Message aborted MID 4711 Dropped by subjects: junk$' ;;
    odd) expect_in "$T/log" '^Info: MID 4711 quarantined to "Policy" \(odd subject\)$' ;;
  esac
done <<'T'
lottery 82 D554 5.7.1 no lotteries
later 82 Z451 4.7.0 ask again
junk 0
odd 0
T

mail rewrite > "$T/message"
scan || fail "rewrite: $?: $(cat "$T/log")"
expect_equal "$(queued)" "X-Subject-Seen: rewrite
$(mail rewrite goodbye)" "the rewritten message"

# Escapes, several header fields, an argument with a line end, log, skip, stop, and a verb that may be ignored.
stage says <<'S'
cat <<'V'
header-add	X-A	one\ntwo
header-add	X-B	a\tb
?sparkle	x
log	forged\nInfo: MID 1 queued
skip	second
V
S
stages "says $T/says" "second $T/second"
rm "$POSTERN_HOME/seen.message"
mail two > "$T/message"
scan || fail "verbs: $?: $(cat "$T/log")"
expect_equal "$(queued | grep -c '^X-')" 2 "new header fields: $(queued)"
queued | grep -A1 '^X-A: one$' | grep -x "${TAB}two" > /dev/null || fail "the folded field: $(queued)"
expect_in "$T/log" '^Info: MID 4711 says: forged\\x0aInfo: MID 1 queued$'
[ -e "$POSTERN_HOME/seen.message" ] && fail "skip"
stage says <<< 'echo stop'
scan || fail "stop"
[ -e "$POSTERN_HOME/seen.message" ] && fail "stop"
# POSTERN_SKIP of the one who hands the message in; directions.
stages "no $T/none" "second $T/second direction=out,local"
scan "POSTERN_SKIP=other no" || fail "POSTERN_SKIP: $(cat "$T/log")"
[ -e "$POSTERN_HOME/seen.message" ] && fail "direction="
# A final verb of a later stage wins over the mark.
stage hold <<< "printf 'quarantine\tPolicy\tfirst\n'"
stage says <<< "printf 'reject\t550\tno\n'"
stages "hold $T/hold" "says $T/says"
scan; expect_equal $? 82 "reject behind a mark"
nothing_kept "a reject behind a mark"
expect_equal "$(cat "$T/reason")" "D550 5.3.0 no" "reason without a status"
exit 0
