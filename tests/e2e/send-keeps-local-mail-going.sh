#!/bin/bash
# Hundreds of messages wait for hosts that do not answer: a local message goes out at once all the same.
. "$(dirname "$0")/../lib.sh"
make_own_instance --local home.example --user alice
printf '#!/bin/sh\nsleep 20\nprintf "sslow\\000Zslow\\000"\n' > "$T/tarpit"
printf '#!/bin/sh\nprintf "rhere\\000Kdone\\000"\n' > "$T/mailbox"
chmod 755 "$T/tarpit" "$T/mailbox"
start rspawn "$B/postern-serve" --workers 20 run/rspawn "$T/tarpit"
start lspawn "$B/postern-serve" --workers 2 run/lspawn "$T/mailbox"
for mid in $(seq 1001 1450); do mail far | MID=$mid queue_message a@x.example "b@slow$((mid % 7)).example" 2> /dev/null || fail "queue"; done
start send "$B/postern-send"
busy() { [ "$(find "$POSTERN_HOME/queue/new" -type f | wc -l)" = 0 ]; }
wait_for 10 busy
mail near | MID=9001 queue_message a@x.example alice@home.example 2> /dev/null || fail "queue"
wait_for 8 grep -q '^Info: Message finished MID 9001 done' "$T/send.log"
expect_not_in "$T/send.log" '^Info: Message finished MID 1[0-9]{3} done'
