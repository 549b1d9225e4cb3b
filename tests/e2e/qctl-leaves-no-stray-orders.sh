#!/bin/bash
# A message that is finished between postern-qctl's look at it and its order: no file stays in defer/, whoever was first.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/qctl.sh"
need strace
make_own_instance --local home.example --user alice
strace -o /dev/null true 2> /dev/null || skip "strace may not trace here"
make_deliverer
echo rtaken > "$T/verdict"
touch "$T/wait"
start_send
begun() { grep -qF -- "begin $1" "$T/begun"; }
stopped() { [ "$(ps -o stat= -p "$1" | cut -c1)" = T ] || [ "$(ps -o stat= -p "$1" | cut -c1)" = t ]; }
number=4700
for place in openat write access; do
  number=$((number + 1))
  queued $number "r$number@far.example"
  wait_for 30 begun "r$number@far.example"
  defer=$POSTERN_HOME/queue/defer/$((number % 16))/$number
  # Stopped when it has made that call: it has looked, and opened, or written its order.
  case $place in
    openat) filter=(-P "$defer" -e trace=openat -e inject=openat:signal=SIGSTOP:when=2) ;;
    write) filter=(-P "$defer" -e trace=write -e inject=write:signal=SIGSTOP) ;;
    access) filter=(-P "$POSTERN_HOME/queue/cur/$((number % 16))/$number" -e trace=access -e inject=access:signal=SIGSTOP) ;;
  esac
  strace -D -o "$T/trace" "${filter[@]}" "$B/postern-qctl" remove --mid $number > "$T/said" 2> "$T/err" &
  qctl_pid=$!
  wait_for 30 stopped $qctl_pid
  touch "$T/gate"
  wait_for 30 grep -q "Message finished MID $number done" "$T/send.log"
  rm -f "$T/gate"
  kill -CONT $qctl_pid
  wait $qctl_pid; code=$?
  grep -q 'SIGSTOP' "$T/trace" || fail "$place: it was not stopped: $(cat "$T/trace")"
  [ $code = 0 ] || fail "$place: exit $code: $(cat "$T/err")"
  [ $place = access ] || expect_equal "$(cat "$T/said")" "nothing to remove" "$place: said"
  wait_for 30 test ! -e "$defer"
done
wait_for 30 queue_empty
expect_equal "$(spool_files "" | grep -v /lock)" "" "files at the end"
expect_equal "$(wc -l < "$T/deliveries")" 3 "deliveries"
