#!/bin/bash
# postern-send killed at each write of a state and each removal while it carries out orders: the next one ends what it
# began. Held stays held, removed is never delivered, bounced is told, and the rest goes out.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/qctl.sh"
need strace
make_own_instance --local home.example --user alice
strace -o /dev/null true 2> /dev/null || skip "strace may not trace here"
echo 3600 > "$POSTERN_HOME/control/retryfirst"
make_deliverer
echo rtaken > "$T/verdict"
mid=4700 killed=0
carried_out() {
  qread_has "^$mid"$'\t.*\tH <held@h.example>\tR <removed@r.example>\tX <bounced@b.example>\tD <sent@s.example>$' &&
    ! "$B/postern-qread" --json --mid $mid | sees '"carried_out":false'
}
settled() { ! kill -0 $tracer 2> /dev/null || carried_out; }
for fault in pwrite64:when=1 pwrite64:when=2 pwrite64:when=3 pwrite64:when=4 clone,clone3,vfork,fork:when=1 unlink:when=1; do
  mid=$((mid + 1))
  queued $mid held@h.example removed@r.example bounced@b.example sent@s.example
  must_qctl hold --mid $mid --site h.example
  must_qctl remove --mid $mid --site r.example
  must_qctl bounce --mid $mid --site b.example
  strace -o "$T/trace" -e "trace=${fault%%:*}" -e "inject=${fault%%:*}:signal=KILL:${fault##*:}" "$B/postern-send" >> "$T/send.log" 2>&1 &
  tracer=$!
  wait_for 30 settled
  kill -9 "$(ps -o pid= --ppid $tracer)" 2> /dev/null
  wait $tracer 2> /dev/null
  grep -q 'killed by SIGKILL' "$T/trace" && killed=$((killed + 1))
  start_send
  wait_for 30 carried_out
  reports=$(grep -c "was generated for bounce of MID $mid" "$T/send.log")
  [ "$reports" = 1 ] || [ "$reports" = 2 ] || fail "$fault: $reports reports"
  must_qctl remove --mid $mid
  wait_for 30 queue_empty
  kill_send
done
[ $killed -ge 4 ] || fail "only $killed kills hit"
expect_not_in "$T/deliveries" 'held@|removed@|bounced@'
# One that was killed between a delivery and its state byte may deliver again, no more.
deliveries=$(grep -c sent@ "$T/deliveries")
[ "$deliveries" -ge 6 ] && [ "$deliveries" -le $((6 + killed)) ] || fail "$deliveries deliveries of 6 messages"
expect_equal "$(spool_files "" | grep -v /lock)" "" "files at the end"
