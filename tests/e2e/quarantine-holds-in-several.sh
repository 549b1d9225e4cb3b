#!/bin/bash
# A message in several quarantines: it is one message, delivered only when all have released it, gone when it is deleted from any. Row Q01.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/quarantine.sh"
make_store
cat > "$T/receiver" <<'S'
#!/bin/sh
env > "$POSTERN_HOME/store/$POSTERN_MID.env"
cat > "$POSTERN_HOME/store/$POSTERN_MID.message"
S
chmod +x "$T/receiver"
export POSTERN_RELEASE_TO=$T/receiver POSTERN_QUEUE=$T/receiver
mail_file several
several() { env POSTERN_MID="$1" "$B/postern-quarantine" put "${@:2}" < "$T/mail" 3< "$T/envelope" 2> "$T/log"; }
received() { find "$POSTERN_HOME/store" -name '*.message' | wc -l; }

several 10 Virus Eicar Policy 'a word' Spam points || fail "put: exit $?: $(cat "$T/log")"
expect_equal "$(cat "$T/log")" 'Info: MID 10 quarantined to "Virus" (Eicar)
Info: MID 10 quarantined to "Policy" (a word)
Info: MID 10 quarantined to "Spam" (points)' "log of put"
expect_equal "$(find "$POSTERN_HOME/quarantine" -type f | wc -l)" 1 "files"
expect_equal "$(quarantine list | cut -f1,2,8,9)" "10${TAB}Policy${TAB}a word${TAB}Spam,Virus
10${TAB}Spam${TAB}points${TAB}Policy,Virus
10${TAB}Virus${TAB}Eicar${TAB}Policy,Spam" "the list"
expect_equal "$(quarantine list Spam | cut -f1,2,9)" "10${TAB}Spam${TAB}Policy,Virus" "the list of one"

expect_equal "$(quarantine release --from Policy 10)" "10 held in Spam,Virus" "released from one"
expect_in "$T/log" '^Info: MID 10 released from quarantine "Policy" \(by operator\)$'
expect_equal "$(received)" 0 "delivered too early"
quarantine release --from Policy 10; expect_equal $? 100 "again from the same"
expect_in "$T/log" 'it is not in "Policy" but in "Spam", "Virus"'
expect_equal "$(quarantine list | cut -f2,9)" "Spam${TAB}Virus
Virus${TAB}Spam" "after one"
quarantine release --from Virus 10 > "$T/out" || fail "release from the second"
expect_equal "$(received)" 0 "delivered with one left"
quarantine release --from Spam 10 > "$T/out" || fail "release from the last: $(cat "$T/log")"
expect_in "$T/out" '^10 released as [0-9]+ accepted$'
expect_in "$T/log" '^Info: MID 10 released from all quarantines$'
expect_equal "$(received)" 1 "delivered"
# Virus had held it, too, so it is scanned again although Spam was the last.
expect_not_in "$POSTERN_HOME"/store/*.env '^POSTERN_RELEASED=Spam$'
expect_not_in "$POSTERN_HOME"/store/*.env '^POSTERN_(QUARANTINE|REASON)'
expect_equal "$(quarantine list)$(find "$POSTERN_HOME/quarantine" -type f)" "" "nothing is left"

several 11 Virus a Policy b || fail put
quarantine release 11 > "$T/out" || fail "release from all"
expect_equal "$(cat "$T/log" | cut -d' ' -f4-)" 'released from quarantine "Policy" (by operator)
released from quarantine "Virus" (by operator)
released from all quarantines
rewritten to '"$(cut -d' ' -f4 "$T/out")"' by quarantine "Policy"' "log of a release from all"

several 12 Virus a Policy b || fail put
quarantine release --from Virus 12 > "$T/out" && quarantine delete 12 || fail "delete: $(cat "$T/log")"
expect_in "$T/log" '^Info: MID 12 deleted from all quarantines$'
quarantine release 12; expect_equal $? 100 "release of what is deleted"
expect_equal "$(received)" 2 "what is deleted from one is never delivered"

# Moving onto a copy that is there overwrites its reason.
several 13 Virus a Policy b || fail put
quarantine move --to Other 13; expect_equal $? 100 "a move that does not say from where"
quarantine move --from Virus --to Policy 13 || fail "move: $(cat "$T/log")"
expect_in "$T/log" '^Info: MID 13 moved from quarantine "Virus" to "Policy" \(by operator\)$'
expect_equal "$(quarantine list | cut -f1,2,8,9)" "13${TAB}Policy${TAB}a${TAB}" "after the move"
quarantine move --to 'Other 2' 13 && expect_equal "$(quarantine list | cut -f2)" 'Other 2' "moved from the only one"
quarantine delete 13

# The same message again, as the work queue repeats it: it stays one, and is held where either try wanted it.
again() { env POSTERN_DEFERRED=1 POSTERN_ICID=5 POSTERN_MID=20 "$B/postern-quarantine" put "$@" < "$T/mail" 3< "$T/envelope" 2> "$T/log"; }
again Virus a && again Virus a && again Virus a Policy b || fail "repeated puts: $(cat "$T/log")"
expect_equal "$(quarantine list | cut -f1,2)" "20${TAB}Policy
20${TAB}Virus" "repeated"
# And when it was decided on in between, the repeat finds it done.
quarantine delete 20 && again Virus a || fail "a repeat after the deletion: $(cat "$T/log")"
expect_equal "$(quarantine list)" "" "the deletion is final"
env POSTERN_ICID=6 POSTERN_MID=20 "$B/postern-quarantine" put Virus a < "$T/mail" 3< "$T/envelope" 2> "$T/log" || fail "a put that is no repeat"
expect_equal "$(quarantine list | cut -f1)" 20 "no repeat, so a message of its own"

# Limits.
names=(); for i in $(seq 17); do names+=("Q$i" r); done
several 30 "${names[@]}"; expect_equal $? 100 "17 quarantines"
several 30 "${names[@]:0:32}" || fail "16 quarantines: $(cat "$T/log")"
expect_equal "$(quarantine list --mid 30 | wc -l)" 16 "16 quarantines"
several 31 Virus; expect_equal $? 100 "a name without a reason"
several 31 Virus a Virus b || fail "a name twice"
expect_equal "$(quarantine list --mid 31 | cut -f2,8)" "Virus${TAB}b" "the last reason counts"
exit 0
