#!/bin/bash
# A release prints what the scanner said became of each part, carries one exemption to it, and is asked for again under the same number
# when nobody heard the answer.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/quarantine.sh"
need python3
make_store
mail_file fate
scanner() {  # FATES
  [ -z "${SCANNER:-}" ] || { kill "$SCANNER"; wait "$SCANNER" 2> /dev/null; rm -f "$POSTERN_HOME/run/scanq"; }
  start scanner python3 "$TESTS/quarantine_receiver.py" scanq "$POSTERN_HOME/store" "$1"
  SCANNER=$LAST_PID
  wait_for 30 test -S "$POSTERN_HOME/run/scanq"
}
scanner 'quarantined Virus Eicar'
put 10 Virus Eicar POSTERN_EXEMPT='antivirus Other' || fail put
quarantine release 10 > "$T/out" || fail "release: $(cat "$T/log")"
new=$(cut -d' ' -f4 "$T/out")
expect_equal "$(cat "$T/out")" "10 released as $new quarantined Virus Eicar" "fate"
expect_not_in "$POSTERN_HOME/store/$new.env" '^POSTERN_(EXEMPT|DEFERRED)'
expect_in "$POSTERN_HOME/store/$new.env" '^POSTERN_WORK=quarantine/10$'
expect_equal "$(quarantine audit 10 | cut -f3,6,7)" "asked${TAB}$new${TAB}
released${TAB}$new${TAB}quarantined Virus Eicar" "audit"

scanner 'queued|dropped by filter'
put 11 Virus Eicar || fail put
quarantine release --except 'antivirus Eicar-Test-Signature' 11 > "$T/out" || fail "release: $(cat "$T/log")"
new=$(head -n 1 "$T/out" | cut -d' ' -f4)
expect_equal "$(cat "$T/out")" "11 released as $new queued
11 released as $((new + 1)) dropped by filter" "fates of two parts"
expect_in "$POSTERN_HOME/store/$new.env" '^POSTERN_EXEMPT=antivirus Eicar-Test-Signature$'

scanner ''
put 12 Virus Eicar || fail put
quarantine release 12 > "$T/out" || fail "release: $(cat "$T/log")"
expect_in "$T/out" '^12 released as [0-9]+ accepted$'

# No for now: it may have been taken all the same, so the next release is one of the same message.
scanner 111
put 13 Virus Eicar || fail put
quarantine release 13; expect_equal $? 111 "deferred"
expect_equal "$(quarantine list | cut -f1)" 13 "still held"
first=$(basename "$(ls -t "$POSTERN_HOME"/store/*.env | head -n 1)" .env)
scanner 'queued'
quarantine release 13 > "$T/out" || fail "second release: $(cat "$T/log")"
expect_equal "$(cat "$T/out")" "13 released as $first queued" "the same number"
expect_in "$POSTERN_HOME/store/$first.env" '^POSTERN_DEFERRED=1$'
# No for good: it has it surely not, and a later release is a new one.
scanner 31
put 14 Virus Eicar || fail put
quarantine release 14; expect_equal $? 100 "refused"
first=$(basename "$(ls -t "$POSTERN_HOME"/store/*.env | head -n 1)" .env)
scanner 'queued'
quarantine release 14 > "$T/out" || fail "second release: $(cat "$T/log")"
expect_not_in "$T/out" "$first"
exit 0
