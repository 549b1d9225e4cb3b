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
"$B/postern-init" "$T/other" --listen "127.0.0.1:$(free_port)" > "$T/init.log" 2>&1 || fail "postern-init without"
[ ! -e "$T/other/service/submission" ] || fail "a listener that nobody asked for"
