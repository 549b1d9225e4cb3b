#!/bin/bash
# needs: root
# Beside a running instance: what root orders belongs to the queue's user, who may order too; others may not even look.
# postern-qcheck repairs owners as root and everything else as that user, and not while postern-send runs.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/qctl.sh"
SINK=$(free_port)
make_instance --local home.example --user alice --route "far.example:127.0.0.2:$SINK"
echo 3600 > "$POSTERN_HOME/control/retryfirst"
run_instance
start_sink "$SINK" "rcpt=451 4.7.1 not now"
Q=$POSTERN_HOME/queue
as() { setpriv --reuid="$1" --regid=postern --clear-groups "${@:2}" > "$T/out" 2> "$T/err"; }
mail m4711 | MID=4711 queue_message alice@home.example bob@far.example carol@far.example || fail "queue"
stop_service send
stop_service workq
stop_service setq
mail m4712 | MID=4712 queue_message alice@home.example bob@far.example || fail "queue"
must_qctl hold --mid 4712
expect_equal "$(stat -c '%U %a' "$Q"/defer/*/4712)" "posternq 600" "an order of root's"
as posternq "$B/postern-qctl" hold --mid 4711 --recipient bob@far.example || fail "posternq: $(cat "$T/err")"
for user in posternr posternd nobody; do
  for tool in "qctl remove --all" qread "qstat --json" "qcheck"; do
    # shellcheck disable=SC2086 # words
    as $user "$B"/postern-$tool && fail "$user may: $tool: $(cat "$T/out")"
    expect_not_in "$T/out" 'far\.example'
  done
done
as posternq "$B/postern-qcheck" || fail "qcheck as posternq: $(cat "$T/out" "$T/err")"

# Files of root's in the queue: nobody can deliver them, until they are given to their owner.
mail m4713 | MID=4713 queue_message alice@home.example alice@home.example || fail "queue"
chown root:root "$Q"/new/*/4713
chmod 0640 "$Q"/new/*/4712
# A second name of a file elsewhere is never given away, a link never followed.
echo secret > "$POSTERN_HOME/secrets/file"
chmod 600 "$POSTERN_HOME/secrets/file"
ln "$POSTERN_HOME/secrets/file" "$Q/new/1/4721"
ln -s "$POSTERN_HOME/secrets/file" "$Q/new/2/4722"
"$B/postern-qcheck" > "$T/out" 2> "$T/err"; expect_equal $? 100 "dry run: $(cat "$T/out" "$T/err")"
expect_in "$T/out" "/4713: it belongs to 0:0; would give it to "
"$B/postern-qcheck" --repair > "$T/out" 2> "$T/err"; expect_equal $? 100 "repair, with a file that is not the queue's: $(cat "$T/out" "$T/err")"
expect_in "$T/out" '/4721: it belongs to 0:0; unable to .*another name'
expect_equal "$(stat -c '%U %a' "$POSTERN_HOME/secrets/file")" "root 600" "the file elsewhere"
expect_equal "$(stat -c '%U %a' "$Q"/new/*/4713 "$Q"/new/*/4712 | sort -u)" "posternq 600" "mended"
expect_equal "$(stat -c %U "$Q/damaged")" posternq "owner of damaged/"
rm -f "$Q"/new/1/4721 "$Q"/damaged/*
"$B/postern-qcheck" > "$T/out" 2> "$T/err" || fail "after the repair: $(cat "$T/out" "$T/err")"

start_service workq
start_service send
arrived() { [ "$(mailbox alice | wc -l)" = 1 ]; }
wait_for 30 arrived
wait_for 30 logged send '^Info: MID 4711 RID 0 held by order of posternq$'
wait_for 30 logged send '^Info: MID 4712 RID 0 held by order of root$'
"$B/postern-qcheck" --repair > "$T/out" 2> "$T/err"; expect_equal $? 111 "repair beside send"
must_qctl remove --all
wait_for 30 queue_empty
