#!/bin/bash
# once: the users do not matter to it
# Hundreds of messages wait for hosts that do not answer: a local message goes out at once all the same, and so does a message to a
# mailbox and such a host to the mailbox.
. "$(dirname "$0")/../lib.sh"
make_own_instance --local home.example --user alice
printf '#!/bin/sh\nsleep 20\nprintf "sslow\\000Zslow\\000"\n' > "$T/tarpit"
printf '#!/bin/sh\necho "$*" >> %s\nprintf "rhere\\000Kdone\\000"\n' "$T/mailbox.jobs" > "$T/mailbox"
chmod 755 "$T/tarpit" "$T/mailbox"
start rspawn "$B/postern-serve" --workers 20 run/rspawn "$T/tarpit"
start lspawn "$B/postern-serve" --workers 2 run/lspawn "$T/mailbox"
for mid in $(seq 1001 1450); do mail far | MID=$mid queue_message a@x.example "b@slow$((mid % 7)).example" 2> /dev/null || fail "queue"; done
start send "$B/postern-send"
busy() { [ "$(find "$POSTERN_HOME/queue/new" -type f | wc -l)" = 0 ]; }
wait_for 30 busy
mail near | MID=9001 queue_message a@x.example alice@home.example 2> /dev/null || fail "queue"
wait_for 30 grep -q '^Info: Message finished MID 9001 done' "$T/send.log"
mail both | MID=9002 queue_message a@x.example b@slow1.example both@home.example 2> /dev/null || fail "queue"
halfway() { grep -q $'^9002\tcur\t.*\t[^D\t]* <b@slow1.example>\tD <both@home.example>$' <("$B/postern-qread"); }
wait_for 30 halfway
expect_equal "$(grep -c both "$T/mailbox.jobs")" 1 "deliveries to the mailbox"
expect_not_in "$T/send.log" '^Info: Message finished MID 1[0-9]{3} done'
