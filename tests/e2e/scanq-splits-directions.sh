#!/bin/bash
# Recipients of mixed direction are split before the first stage: each part has its own mid and its own verdict.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/scanq.sh"
stage note <<'S'
echo "$POSTERN_MID $POSTERN_DIRECTION $(tr '\0' '|' <&3)" >> "$POSTERN_HOME/noted"
cat "$POSTERN_HOME/verdict.$POSTERN_DIRECTION" 2> /dev/null || :
S
stages "note $T/note"
printf 'Fa@mx.example.org\0Tb@mx.example.org\0Tc@far.example\0Td@mx.example.org\0\0' > "$T/envelope"

scan RELAYCLIENT= || fail "exit code $?: $(cat "$T/log")"
other=$(sed -n 's/^Info: MID 4711 was split creating MID \([0-9]*\) due to direction out$/\1/p' "$T/log")
[ -n "$other" ] || { cat "$T/log"; fail "no line of the split"; }
expect_equal "$(cat "$POSTERN_HOME/noted")" "4711 local Fa@mx.example.org|Tb@mx.example.org|Td@mx.example.org||
$other out Fa@mx.example.org|Tc@far.example||" "what the stage saw"
expect_equal "$("$B/postern-qread" | cut -f1,8-)" "$(printf '4711\tP <b@mx.example.org>\tP <d@mx.example.org>\n%s\tP <c@far.example>' "$other")" "the queue"
cmp <(queued) "$T/message" && cmp <(queued "$other") "$T/message" || fail "the messages"

# One direction: no split. Directions as the design has them.
direction() {  # EXPECTED ENVELOPE [VAR=VALUE]…
  local expected=$1; printf -- "$2" > "$T/envelope"; shift 2
  rm -f "$POSTERN_HOME/noted"
  scan "$@" || fail "exit code $?"
  expect_equal "$(cut -d' ' -f2 "$POSTERN_HOME/noted" | tr '\n' ' ')" "$expected " "direction"
  expect_equal "$(grep -c 'was split' "$T/log")" "$(($(wc -w <<< "$expected") - 1))" "splits"
}
direction in 'Fx@far.example\0Tb@mx.example.org\0\0'
direction in 'Fx@mx.example.org\0Tb@mx.example.org\0\0'
direction in 'F\0TB@MX.EXAMPLE.ORG\0\0'
direction local 'Fx@far.example\0Tb@mx.example.org\0\0' RELAYCLIENT=
direction local 'Fx@far.example\0Tb@mx.example.org\0\0' POSTERN_AUTH=x
direction out 'Fx@far.example\0Tb@far.example\0\0' RELAYCLIENT=
direction out 'Fx@far.example\0Tb@far.example\0\0'
direction "in out" 'Fx@far.example\0Tb@mx.example.org\0Tc@far.example\0\0'

# Refused in one direction only: the others are taken, the refused ones are held, and the client hears 250 once.
printf 'Fa@mx.example.org\0Tb@mx.example.org\0Tc@far.example\0\0' > "$T/envelope"
printf 'reject\t554\t5.7.1 not to the outside\n' > "$POSTERN_HOME/verdict.out"
scan RELAYCLIENT= || fail "refused in one direction: $?"
expect_equal "$("$B/postern-qread" | cut -f8-)" "P <b@mx.example.org>" "the queue, refused in one direction"
expect_equal "$("$B/postern-quarantine" list | cut -f2)" Refused "held, refused in one direction"
# Refused in both: refused, and nothing is kept.
printf 'reject\t554\t5.7.1 not at all\n' > "$POSTERN_HOME/verdict.local"
scan RELAYCLIENT=; expect_equal $? 82 "refused in both directions"
nothing_kept "a refusal in both directions"
# Deferred in one: all of it, so that no one gets it twice.
rm "$POSTERN_HOME/verdict.local"
printf 'defer\t4.7.1 later\n' > "$POSTERN_HOME/verdict.out"
scan RELAYCLIENT=; expect_equal $? 82 "deferred in one direction"
expect_in "$T/reason" '^Z451 4.7.1 later'
nothing_kept "deferred in one direction"
