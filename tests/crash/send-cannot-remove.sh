#!/bin/bash
# A delivered message whose file cannot be removed (an I/O error on unlink) is not delivered again and again.
. "$(dirname "$0")/../lib.sh"
need strace
make_own_instance --local home.example --user alice
echo 1 > "$POSTERN_HOME/control/retryfirst"
printf '#!/bin/sh\necho x >> "%s"\nprintf "rhere\\000Kdone\\000"\n' "$T/deliveries" > "$T/mailbox"
chmod 755 "$T/mailbox"
start lspawn "$B/postern-serve" --workers 1 run/lspawn "$T/mailbox"
mail one | MID=4711 queue_message a@x.example alice@home.example 2> /dev/null || fail "queue"
start send strace -f -o "$T/strace" -e trace=unlink -e inject=unlink:error=EIO "$B/postern-send"
wait_for 30 grep -q 'unable to finish MID 4711' "$T/send.log"
mail two | MID=4712 queue_message a@x.example alice@home.example 2> /dev/null || fail "queue"
wait_for 30 grep -q 'unable to finish MID 4712' "$T/send.log"
expect_in <("$B/postern-qread") $'^4711\tcur\t.*\tD <alice@home.example>$'
# A new process sees the state and removes the file without another delivery.
pkill -P "$LAST_PID" -x postern-send
gone() { ! kill -0 "$LAST_PID" 2> /dev/null; }
wait_for 30 gone
start send2 "$B/postern-send"
wait_for 30 queue_empty
expect_equal "$(wc -l < "$T/deliveries")" 2 "deliveries"
