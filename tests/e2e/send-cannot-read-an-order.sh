#!/bin/bash
# An order came while a message was out, and its file cannot be read when the message is back: nobody is told that it failed, and the
# order holds once it can be read.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/qctl.sh"
make_own_instance --local home.example --user alice
make_deliverer
touch "$T/wait"
echo 'h5.1.1 no such user' > "$T/verdict"
begun() { grep -qF -- "begin $1" "$T/begun"; }
notes="$POSTERN_HOME/queue/defer/$((4711 % 16))/4711"
start_send
queued 4711 a@one.example
wait_for 30 begun a@one.example
must_qctl remove --mid 4711
mv "$notes" "$T/notes" && mkdir "$notes" || fail "put the notes aside"
touch "$T/gate"
wait_for 30 grep -q '^Warning: postern-send: unable to read the orders of MID 4711: ' "$T/send.log"
expect_not_in "$T/send.log" 'bounce of MID 4711|^Bounced: 4711'
expect_equal "$(grep -c one.example "$T/deliveries")" 1 "tries"
rmdir "$notes" && mv "$T/notes" "$notes" || fail "put the notes back"
qread_has $'^4711\t.*\tR <a@one.example>$' || fail "not in the queue any more: $("$B/postern-qread")"
kill -ALRM "$SEND"
wait_for 30 queue_empty
expect_in "$T/send.log" '^Info: MID 4711 RID 0 removed by order of '
expect_not_in "$T/send.log" 'bounce of MID 4711|^Bounced: 4711'
expect_equal "$(grep -c one.example "$T/deliveries")" 1 "tries"
