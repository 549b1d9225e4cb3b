#!/bin/bash
# once: the users do not matter to it
# A host that nobody answers at, and one that is never heard: one probe at a time at longer and longer waits, the rest of the mail put off
# with its last error instead of being tried in turn; what goes elsewhere is not held up; full speed once it answers; qstat tells it.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/sites.sh"
make_sites live.test refused.test hole.test
echo 3 > "$POSTERN_HOME/control/timeoutgreeting"
echo 8 > "$POSTERN_HOME/control/retryfirst"
echo 8 > "$POSTERN_HOME/control/concurrencyremote"
start_rspawn 8
start_counting 127.0.0.2 live
start hole "$TESTS/smtp-server.py" 127.0.0.4 "$PORT" "$T/hole" "greeting=STALL"
wait_for 30 grep -q listening "$T/hole"
mail one > "$T/message"
for mid in $(seq 1001 1040); do MID=$mid queue_message a@x.example b@hole.test < "$T/message" 2> /dev/null || fail "queue"; done
for mid in $(seq 2001 2040); do MID=$mid queue_message a@x.example b@refused.test < "$T/message" 2> /dev/null || fail "queue"; done
for mid in $(seq 3001 3200); do MID=$mid queue_message a@x.example b@live.test < "$T/message" 2> /dev/null || fail "queue"; done
start_send
delayed() { [ "$(grep -c "^Info: Delayed: $1.*$2" "$T/send.log")" -ge "$3" ]; }
wait_for 30 rcpts_are live 200
wait_for 30 delayed 2 'refused' 40
wait_for 30 delayed 1 '4\.4\.2' 40
expect_in "$T/send.log" 'Delayed: 2[0-9]*:0 .*4\.4\.1.*not tried again yet'
# Forty messages: a few attempts, not forty.
[ "$(grep -c '^connect' "$T/hole")" -le 4 ] || fail "$(grep -c '^connect' "$T/hole") connections to a host that is never heard"
[ "$(grep -c 'domain: refused.test' "$T/rspawn.log")" -le 4 ] || fail "$(grep -c 'domain: refused.test' "$T/rspawn.log") attempts where nobody answers"
expect_in "$T/send.log" '^Info: Site hole\.test is away: 4\.4\.2'
expect_in "$T/send.log" '^Info: Site refused\.test is away: 4\.4\.1'
known() { "$B/postern-qstat" --sites > "$T/sites" && grep -qE $'^refused\\.test\t40\t.*\t(away|probing)\t[01]\t[0-9]+\t[0-9]+\t-\t4\\.4\\.1' "$T/sites"; }
wait_for 30 known
cat > "$T/holes.py" <<'P'
import json, sys
sites = {s["site"]: s for s in json.load(sys.stdin)["sites"]}
hole = sites["hole.test"]
assert hole["state"] in ("away", "probing") and hole["pending"] == 40 and hole["running"] <= 1, hole
assert hole["last_error"].startswith("4.4.2") and hole["next_attempt_seconds"] is not None, hole
P
in_json() { "$B/postern-qstat" --json | python3 "$T/holes.py"; }
wait_for 30 in_json
# Now it answers: the next probe finds out, and all of it goes as its time comes.
start_counting 127.0.0.3 refused
"$B/postern-qctl" flush --site refused.test > /dev/null || fail "flush"
wait_for 60 rcpts_are refused 40
expect_in "$T/send.log" '^Info: Site refused\.test answers again'
read -r at_once _ _ < <(most_of refused 60)
[ "$at_once" -gt 1 ] || fail "full speed is one connection"
stop_send
expect_not_in <("$B/postern-qstat" --sites | cut -f8) '[a-z]'
[ ! -e "$POSTERN_HOME/queue/sites" ] || fail "queue/sites is left"
