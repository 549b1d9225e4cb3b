#!/bin/bash
# The keeper releases or deletes what has been held for its time, as control/quarantines or POSTERN_HOLD_UNTIL said when it came, and
# finishes a release that was killed.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/quarantine.sh"
make_store
cat > "$T/receiver" <<'S'
#!/bin/sh
[ -f "$POSTERN_HOME/refuse" ] && exit 111
env > "$POSTERN_HOME/store/$POSTERN_MID.env"
cat > "$POSTERN_HOME/store/$POSTERN_MID.message"
S
chmod +x "$T/receiver"
export POSTERN_RELEASE_TO=$T/receiver POSTERN_QUEUE=$T/receiver
mail_file timed
cat > "$POSTERN_HOME/control/quarantines" <<'C'
# a comment
Short 1 retention=1s action=delete
Brief retention=1s
Long retention=30d action=delete
C
held() { quarantine list | cut -f1 | sort -u | tr '\n' ' '; }
holds() { [ "$(held)" = "$1" ]; }
received() { find "$POSTERN_HOME/store" -name '*.message' | wc -l; }
past=$(($(date +%s) - 5)) future=$(($(date +%s) + 3600))
put 1 'Short 1' a || fail "put: $(cat "$T/log")"
put 2 Brief b || fail put
put 3 Long c || fail put
put 4 Virus d || fail put
put 5 Hold e POSTERN_HOLD_UNTIL=$past || fail put
put 6 Hold f POSTERN_HOLD_UNTIL=$future || fail put
env POSTERN_MID=7 POSTERN_HOLD_UNTIL=$past "$B/postern-quarantine" put Long g Hold f < "$T/mail" 3< "$T/envelope" 2> "$T/log" || fail put
put 8 Virus h POSTERN_HOLD_UNTIL=soon; expect_equal $? 100 "a time that cannot be read"
env POSTERN_MID=9 "$B/postern-quarantine" put Brief i Virus j < "$T/mail" 3< "$T/envelope" 2> "$T/log" || fail put
expect_equal "$(quarantine list --json --mid 6 | grep -o '"expires":"[^"]*","action":"[^"]*"')" \
  "\"expires\":\"$(date -u -d @$future +%Y-%m-%dT%H:%M:%SZ)\",\"action\":\"release\"" "expiry and action"
start keeper "$B/postern-quarantine" --keep
KEEPER=$LAST_PID
look() { kill -ALRM "$KEEPER" 2> /dev/null; holds "$1"; }
wait_for 30 holds '3 4 6 7 9 '
wait_for 30 grep -q 'MID 9 released' "$T/keeper.log"
expect_in "$T/keeper.log" '^Info: MID 1 deleted from quarantine "Short 1" \(expired\)$'
expect_in "$T/keeper.log" '^Info: MID 2 released from quarantine "Brief" \(expired\)$'
expect_in "$T/keeper.log" '^Info: MID 5 released from quarantine "Hold" \(expired\)$'
expect_in "$T/keeper.log" '^Info: MID 7 released from quarantine "Hold" \(expired\)$'
expect_in "$T/keeper.log" '^Info: MID 9 released from quarantine "Brief" \(expired\)$'
expect_equal "$(quarantine list --mid 9 | cut -f2)" Virus "one of two has let it go"
expect_equal "$(quarantine list --mid 7 | cut -f2)" Long "the time of a hold is for Hold alone"
expect_equal "$(received)" 2 "delivered"
expect_equal "$(quarantine audit 2 | cut -f3,5)" "asked${TAB}keeper
released${TAB}keeper" "audit"

# A receiver that defers: held on, and tried again in an hour, not at once.
touch "$POSTERN_HOME/refuse"
put 20 Hold x POSTERN_HOLD_UNTIL=$past || fail put
tried() { kill -ALRM "$KEEPER"; grep -q 'unable to release or delete MID 20' "$T/keeper.log"; }
wait_for 30 tried
kill -ALRM "$KEEPER"
rm "$POSTERN_HOME/refuse"
put 21 Hold x POSTERN_HOLD_UNTIL=$past || fail put
wait_for 30 look '20 3 4 6 7 9 '
expect_equal "$(grep -c 'unable to release or delete MID 20' "$T/keeper.log")" 1 "tries"

# A bad line: nothing is put with a time that nobody meant.
echo 'Virus retention=soon' > "$POSTERN_HOME/control/quarantines"
put 22 Virus x; expect_equal $? 55 "a setting that cannot be read"
expect_in "$T/log" 'control/quarantines: .*retention.*write NAME'
rm "$POSTERN_HOME/control/quarantines"

# A release that was killed is finished by the keeper: here once it has the message again.
if command -v strace > /dev/null && strace -o /dev/null true 2> /dev/null; then
  before=$(received)
  strace -f -o "$T/trace" -e inject=fdatasync:signal=KILL:when=3 "$B/postern-quarantine" release 4 > "$T/out" 2> "$T/log"
  grep -q 'killed by SIGKILL' "$T/trace" || fail "it was not killed: $(grep fdatasync "$T/trace")"
  expect_equal "$(received)" $((before + 1)) "the receiver has it"
  expect_in <(quarantine list) '^4' 
  wait_for 30 look '20 3 6 7 9 '
  # The stub keeps it under its number, which was the same both times.
  expect_equal "$(received)" $((before + 1)) "not a second one"
  expect_in "$T/keeper.log" '^Info: MID 4 released from quarantine "Virus" \(asked for before\)$'
fi
kill "$KEEPER"; wait "$KEEPER" 2> /dev/null; expect_equal $? 0 "the keeper's end"
exit 0
