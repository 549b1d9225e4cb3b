#!/bin/bash
# A message in the work queue, and workq, scanq, or the queue behind it killed at each call on the way: in the end it stands in the
# queue once and in work/ no more, or is held once. A second copy is made where the first was taken out of the queue by hand before, and
# only there: postern-send leaves it until work/ has it no more (set-killed.sh).
. "$(dirname "$0")/../lib.sh"
need strace
strace -o /dev/null true 2> /dev/null || skip "strace may not trace here"
make_own_instance --local home.example --user alice
cat > "$T/stage" <<'X'
#!/bin/sh
if grep -q '^X-Refuse:'; then printf 'reject\t550\tno\n'; fi
X
chmod 755 "$T/stage"
echo "look $T/stage" > "$POSTERN_HOME/control/stages"
echo 1 > "$POSTERN_HOME/control/retryfirst"

work_files() { find "$POSTERN_HOME"/work/{tmp,new,cur,defer} -type f; }
work_empty() { [ -z "$(work_files)" ]; }
outputs() { find "$POSTERN_HOME"/queue/{new,cur} "$POSTERN_HOME"/quarantine/*/{new,cur} -type f 2> /dev/null; }
MID=1000
put() {  # MESSAGE
  MID=$((MID + 1))
  printf 'Fa@far.example\0Talice@home.example\0\0' > "$T/envelope"
  POSTERN_SPOOL=work POSTERN_MID=$MID POSTERN_ICID=77 POSTERN_DIRECTION=in "$B/postern-queue" < "$1" 1< "$T/envelope" 2> "$T/put.log" || fail "put: $(cat "$T/put.log")"
}
traced() { echo "strace -q -o $T/$1.trace -e trace=$2 -e inject=$2:signal=KILL:when=$3"; }
# resident NAME [STRACE…]: one of our services by hand, with one worker; end_resident NAME.
declare -A PIDS=()
resident() {
  local name=$1; shift
  start "$name" "$@" "$B/postern-bind" "$name" "$(id -un)" "$B/postern-$name" --serve --workers 1
  PIDS[$name]=$LAST_PID
}
end_resident() {
  pkill -KILL -P "${PIDS[$1]}"
  kill -KILL "${PIDS[$1]}"
  wait "${PIDS[$1]}"
} 2> /dev/null
run_workq() {
  "$B/postern-workq" >> "$T/workq.log" 2>&1 & local pid=$!
  wait_for 30 work_empty
  kill $pid
  wait $pid 2> /dev/null
}
check() {  # WHAT
  expect_equal "$(outputs | wc -l)" 1 "copies after a kill of $1"
  rm "$(outputs)"
}
for name in queue quarantine scanq; do resident $name; done
mail plain > "$T/plain"
sed 's/^Subject: .*/&\nX-Refuse: yes/' "$T/plain" > "$T/refused"

# workq itself. What it had begun when it was killed is finished by the next one.
kills=0 twice=0
for message in plain refused; do
  for call in renameat2 openat memfd_create pipe2 clone read close unlink epoll_pwait; do
    for when in 1 2; do
      put "$T/$message"
      # It ends by the kill, or has done its work.
      $(traced workq $call $when) "$B/postern-workq" >> "$T/workq.log" 2>&1 & pid=$!
      gone_or_done() { ! kill -0 $pid 2> /dev/null || work_empty; }
      wait_for 30 gone_or_done
      if kill -0 $pid 2> /dev/null; then pkill -KILL -P $pid; else kills=$((kills + 1)); fi
      wait $pid 2> /dev/null
      work_empty || { [ -z "$(outputs)" ] || twice=$((twice + 1)); run_workq; }
      check "workq at $call $when"
    done
  done
done
echo "$kills kills of workq; $twice times the message had been committed and was scanned again"
[ $kills -gt 20 ] && [ $twice -gt 1 ] || fail "the kills did not hit"

# Whoever it waits for: killed in the middle, back at once. A kill behind the commit and before the answer is the one that counts.
again=0
for fault in queue:write:1 queue:fsync:2 queue:renameat2:1 queue:sendto:1 quarantine:renameat2:1 quarantine:sendto:1 scanq:memfd_create:2 scanq:sendto:1; do
  IFS=: read -r name call when <<< "$fault"
  message=plain
  [ "$name" != quarantine ] || message=refused
  end_resident "$name"
  # Workers come and go: the trace follows them, and each counts its own calls.
  resident "$name" $(traced "$name" "$call" "$when") -f
  put "$T/$message"
  timeout 60 "$B/postern-workq" >> "$T/workq.log" 2>&1 & pid=$!
  noticed() { work_empty || find "$POSTERN_HOME/work/defer" -type f | sees .; }
  wait_for 30 noticed
  work_empty || [ -z "$(outputs)" ] || again=$((again + 1))
  end_resident "$name"
  resident "$name"
  tried_again() { work_empty || { pkill -ALRM -P $pid; false; }; }
  wait_for 30 tried_again
  pkill -TERM -P $pid
  wait $pid 2> /dev/null
  check "$name at $call $when"
done
echo "$again times its taker was killed between the commit and the answer"
[ $again -gt 1 ] || fail "no kill hit behind the commit"
# Nobody but postern-send knows to leave it: here it is taken out by hand.
put "$T/plain"
$(traced workq unlink 1) "$B/postern-workq" >> "$T/workq.log" 2>&1
[ -n "$(outputs)" ] || fail "nothing was committed before the kill"
rm "$(outputs)"
run_workq
check "workq at unlink 1, the message being delivered"
expect_equal "$(find "$POSTERN_HOME/work" -type f ! -name lock)" "" "what is left in work/"
