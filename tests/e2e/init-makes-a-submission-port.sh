#!/bin/bash
# postern-init --submission: a listener of its own, with its own name and policy, kept when the instance is brought up to date.
. "$(dirname "$0")/../lib.sh"
need swaks
SUBMIT=$(free_port)
make_instance --submission "127.0.0.1:$SUBMIT"
RUN=$POSTERN_HOME/service/submission/run
expect_in "$RUN" '^export POSTERN_LISTENER=submission POSTERN_POLICY=SUBMISSION$'
cp "$RUN" "$T/before"
"$B/postern-init" "$POSTERN_HOME" > "$T/init.log" 2>&1 || { cat "$T/init.log"; fail "postern-init again"; }
cmp "$RUN" "$T/before" || fail "it was not kept"
"$B/postern-init" "$POSTERN_HOME" --submission 587 > "$T/init.log" 2>&1 && fail "a port alone"
run_instance
wait_for 30 listening "$SUBMIT"
swaks --server "127.0.0.1:$SUBMIT" --quit-after EHLO > "$T/swaks" 2>&1 || { cat "$T/swaks"; fail "nobody answers"; }
wait_for 30 logged submission 'New SMTP ICID [0-9]+ interface submission \(127.0.0.1\)'

# Without its policy nobody is let in, and showctl says so.
"$B/postern-showctl" > "$T/showctl"
expect_not_in "$T/showctl" 'service/submission'
cp "$POSTERN_HOME/control/policies" "$T/policies"
sed -i '/^SUBMISSION /d' "$POSTERN_HOME/control/policies"
"$B/postern-hat" compile > "$T/hat.log" 2>&1 || { cat "$T/hat.log"; fail "postern-hat compile"; }
"$B/postern-showctl" > "$T/showctl" && fail "a listener without its policy"
expect_in "$T/showctl" '^problem: .*control/policies: the policy "SUBMISSION" of service/submission is not there, so nobody is let in'
expect_equal "$(grep -c service/submission "$T/showctl")" 1 problems
cp "$T/policies" "$POSTERN_HOME/control/policies"
rm "$POSTERN_HOME/control/hat" "$POSTERN_HOME/control/hat.bin"
"$B/postern-showctl" > "$T/showctl" && fail "a listener without a table"
expect_in "$T/showctl" '^problem: .*control/hat: it is not there, and without it neither is the policy "SUBMISSION" of service/submission'

"$B/postern-init" "$T/other" --listen "127.0.0.1:$(free_port)" > "$T/init.log" 2>&1 || fail "postern-init without"
[ ! -e "$T/other/service/submission" ] || fail "a listener that nobody asked for"
