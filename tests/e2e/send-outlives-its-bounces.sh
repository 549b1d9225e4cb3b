#!/bin/bash
# once: the users do not matter to it
# Notifications that cannot be queued cost the messages that they are about some time, and nothing else: other mail goes on while the
# program that takes them hangs, or is not there, or refuses. What was delivered is never delivered again because its sender could not be
# told, and the sender is told in the end, also by another postern-send.
. "$(dirname "$0")/../lib.sh"
need fuser
make_own_instance --local home.example --user alice
echo 1 > "$POSTERN_HOME/control/retryfirst"
echo 1 > "$POSTERN_HOME/control/retrylongest"
cat > "$T/queue" <<S
#!/bin/sh
echo \$\$ >> "$T/asked"
case \$(cat "$T/mode") in
  hang) exec sleep 60 ;;
  crash) kill -9 \$\$ ;;
  good) exec "$B/postern-queue" 1<&1 ;;
esac
exit 81
S
chmod +x "$T/queue"
touch "$T/asked"
start_stubs
export POSTERN_QUEUE=$T/queue
start_send
mail one > "$T/message"
echo hang > "$T/mode"
for mid in $(seq 4001 4040); do MID=$mid queue_message keep@home.example h@far.example < "$T/message" 2> /dev/null || fail "queue"; done
asked() { [ "$(wc -l < "$T/asked")" -ge "$1" ]; }
wait_for 30 asked 20
MID=5001 queue_message keep@home.example r.alice@home.example r.bob@far.example < "$T/message" 2> /dev/null || fail "queue"
wait_for 30 grep -q '^Info: Message finished MID 5001 done' "$T/send.log"
expect_equal "$(wc -l < "$T/asked")" 20 "notifications that are made at once"

# They fail, in the ways that there are.
echo crash > "$T/mode"
xargs kill < "$T/asked" 2> /dev/null
wait_for 30 asked 45
echo fail > "$T/mode"
MID=5002 queue_with_extras 'tr.a@home.example\0nSUCCESS\0tr.b@far.example\0nSUCCESS\0' keep@home.example r.a@home.example r.b@far.example \
  < "$T/message" 2> /dev/null || fail "queue"
told_in_defer() { grep -q '^t ' "$POSTERN_HOME/queue/defer/$((5002 % 16))/5002"; }
wait_for 30 told_in_defer
expect_in "$POSTERN_HOME/queue/defer/$((5002 % 16))/5002" '^d 0 delivered 250 2.1.5 taken$'
expect_in <("$B/postern-qread") $'^5002\tcur\t.*\tD <r.a@home.example>\tD <r.b@far.example>$'
stop_send -KILL
# What it had started goes on by itself; were it to succeed, its message would be told twice.
left_alone() { ! fuser -s "$T/send.log"; }
wait_for 30 left_alone
echo good > "$T/mode"
start_send
wait_for 30 queue_empty
expect_equal "$(kept | wc -l)" 41 "notifications at the end"
expect_equal "$(grep -c 'r.a@home.example' "$T/jobs")" 1 "deliveries of what was done"
expect_equal "$(grep -c 'r.b@far.example' "$T/jobs")" 1 "deliveries of what was done, far"
grep -l 'r.a@home.example' $(kept) > "$T/report"
expect_equal "$("$TESTS/dsn.py" "$(cat "$T/report")" | sed 1,3d | paste -sd,)" "r.a@home.example delivered 2.1.5,r.b@far.example relayed 2.1.5"
expect_equal "$(spool_files "" | grep -v /lock)" "" "files at the end"
