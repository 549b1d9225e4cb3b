#!/bin/bash
# once: the users do not matter to it
# R20, R21, R30: recipient table, domain map and alias table in real conversations: of each listener its own, codes and texts of its
# own, one recipient that becomes several, /dev/null, ORCPT as the client said it; a table with a fault names file and line and
# the one before it stays; postern-rcpt says the same as smtpd.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/recipients.sh"
need tcpserver python3
make_own_instance --local example.org
C=$POSTERN_HOME/control
rm -f "$C/recipientchecks"
make_queue_stub
cat > "$C/rat" <<'R'
boss@new.example, hidden@ REJECT 553 5.7.9 nobody writes to the boss
.sub.example REJECT 451 later
new.example, x.sub.example ACCEPT 250 welcome
ALL REJECT
R
printf '%s\n' 'inside.example ACCEPT' > "$C/rat.inside"
printf '%s\n' '@old.example @new.example' 'joe@.old.example jim@new.example' > "$C/domainmap"
printf '%s\n' 'hidden: x@y.example' '[new.example]' 'sales: team, Carl@Far.example' 'team: ann@new.example, bob@new.example' \
  'nobody: /dev/null' > "$C/aliases"
"$B/postern-rcpt" compile > "$T/compile" 2>&1 || fail "compile: $(cat "$T/compile")"
start_smtpd smtpd
OUTSIDE=$PORT
start_smtpd inside
INSIDE=$PORT

PORT=$OUTSIDE
rcpt() { python3 "$TESTS/rcpt.py" "$PORT" "$@"; }
expect_equal "$(rcpt a@new.example boss@new.example a@b.sub.example a@x.sub.example HIDDEN@new.example a@example.org)" \
"250 2.1.5 welcome
553 5.7.9 nobody writes to the boss
451 4.7.1 later
451 4.7.1 later
553 5.7.9 nobody writes to the boss
550 5.7.1 mail for this recipient is not accepted here"
PORT=$INSIDE
expect_equal "$(rcpt a@inside.example a@new.example postmaster)" "250 2.1.5 recipient ok
550 5.7.1 relaying denied: that domain is not ours
250 2.1.5 recipient ok"

# The envelope that the queue program got, with the extras.
PORT=$OUTSIDE
envelope() { mail x | inject s@client.example "$@" > "$T/answer" || fail "$(cat "$T/answer")"; tr '\0' '|' < "$T/got.envelope"; }
expect_equal "$(envelope Joe@old.example)" 'Fs@client.example|TJoe@new.example||'
expect_equal "$(envelope joe@a.old.example)" 'Fs@client.example|Tjim@new.example||'
expect_equal "$(envelope sales@old.example)" 'Fs@client.example|Tann@new.example|Tbob@new.example|TCarl@far.example||'
tr '\0' '\n' < "$T/got.extras" > "$T/extras"
expect_equal "$(grep -c 'rfc822;sales@old.example' "$T/extras")" 3 "ORCPT: $(cat "$T/extras")"
rm "$T/got.envelope"
mail x | inject s@client.example nobody@new.example > "$T/answer" || fail "$(cat "$T/answer")"
[ ! -e "$T/got.envelope" ] || fail "what is dropped came to the queue"
wait_for 10 grep -q 'Message dropped MID' "$T/smtpd.log"
expect_in "$T/smtpd.log" 'To: <nobody@new.example> dropped: control/aliases line 5'
expect_in "$T/smtpd.log" 'To: <sales@old.example> rewritten: control/domainmap line 1: sales@old.example is sales@new.example'
expect_in "$T/smtpd.log" 'To: <boss@new.example> decided by recipient-table: control/rat line 1'

# The explanation.
"$B/postern-rcpt" test sales@old.example > "$T/test" || fail "postern-rcpt test"
in_order "$T/test" '^domain-map: rewrites \(control/domainmap line 1' '^recipient-table: passes \(control/rat line 3\)' \
  '^alias: rewrites \(control/aliases line 3' '^local-users: passes' '^recipient: ann@new.example' '^recipient: Carl@far.example'
"$B/postern-rcpt" test boss@new.example > "$T/test"
expect_equal $? 100 "exit code of a refusal"
expect_in "$T/test" '^recipient-table: 553 5.7.9 nobody writes to the boss \(control/rat line 1\)$'
"$B/postern-rcpt" test --listener inside --json a@inside.example | python3 -c '
import json, sys
answer = json.load(sys.stdin)
assert [s["why"] for s in answer["steps"] if s["step"] == "recipient-table"] == ["control/rat.inside line 1"], answer
assert answer["recipients"] == [{"address": "a@inside.example"}], answer' || fail "json"

# A table with a fault names itself, and what was compiled before stays.
printf '%s\n' '[new.example]' 'team: sales' 'sales: team' > "$C/aliases"
"$B/postern-rcpt" compile aliases 2> "$T/compile"
expect_equal $? 100 "exit code of a wrong table"
expect_in "$T/compile" 'control/aliases:2: "team@new.example" leads back to itself'
expect_equal "$(envelope team@new.example)" 'Fs@client.example|Tann@new.example|Tbob@new.example||'
"$B/postern-showctl" > "$T/ctl"
expect_in "$T/ctl" 'problem: .*control/aliases:2: "team@new.example" leads back'
expect_in "$T/ctl" 'problem: .*control/aliases: it is newer than aliases.cdb'
expect_in "$T/ctl" '^rat.inside: 1 lines$'

# A text that nobody has compiled holds its recipients' mail back; a table without a text is told, and goes when the others are compiled.
rm "$C/aliases.cdb" "$C/rat.inside"
"$B/postern-rcpt" test team@new.example > "$T/test" 2>&1
expect_equal $? 111 "exit code of a table that is not compiled"
expect_in "$T/test" 'control/aliases is not compiled; run postern-rcpt compile'
"$B/postern-showctl" > "$T/ctl"
expect_in "$T/ctl" 'problem: .*control/rat.inside.cdb: it counts, and its text '
"$B/postern-rcpt" compile > "$T/compile" 2>&1
expect_in "$T/compile" 'control/rat.inside.cdb is removed'
[ ! -e "$C/rat.inside.cdb" ] || fail "a compiled table outlives its text"
