#!/bin/bash
# More messages than can be open at once wait for a host, and most of those in line are removed: the rest goes out all the same.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/qctl.sh"
make_own_instance --local home.example --user alice
make_deliverer
echo rtaken > "$T/verdict"
touch "$T/wait"
queued 4096 bob@far.example
python3 - "$POSTERN_HOME/queue" "$(spool_files new)" <<'P'
import os, sys
queue, first = sys.argv[1:]
message = open(first, "rb").read()
for mid in range(10001, 10850):
    with open("%s/new/%d/%d" % (queue, mid % 16, mid), "wb") as f: f.write(message)
P
chmod -R go-rwx "$POSTERN_HOME/queue"
start_send
taken() { [ -z "$(spool_files new)" ]; }
wait_for 30 taken
selectors=()
for mid in $(seq 10400 10840); do selectors+=(--mid $mid); done
must_qctl remove "${selectors[@]}"
expect_in "$T/qctl.out" '^441 recipients of 441 messages$'
left() { [ "$(spool_files cur | wc -l)" = 409 ]; }
wait_for 30 left
touch "$T/gate"
wait_for 30 queue_empty
expect_equal "$(wc -l < "$T/deliveries")" 409 "deliveries"
