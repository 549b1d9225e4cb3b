#!/bin/bash
# once: the users do not matter to it
# A message that comes to several outputs: two for the queue, one of them a bcc, and one for a quarantine. Every program on the way is
# killed at each rename, fsync, unlink and packet between the commits while postern-send delivers; in the end each output is there exactly
# once, or, where the client was told no, all of them or none. The same for a message of the deferred work queue: always exactly once.
. "$(dirname "$0")/../lib.sh"
need strace python3
strace -o /dev/null true 2> /dev/null || skip "strace may not trace here"
make_own_instance --local home.example
cat > "$T/stage" <<'X'
#!/bin/sh
to=$(tr '\0' '\n' <&3 | sed -n 's/^T//p')
printf 'header-add\tX-Seen\tyes\nbcc\tr-bcc-%s\ncopy-quarantine\tPolicy\tcopy of %s\n' "$to" "$to"
X
chmod 755 "$T/stage"
echo "look $T/stage" > "$POSTERN_HOME/control/stages"
echo 1 > "$POSTERN_HOME/control/retryfirst"
echo 2 > "$POSTERN_HOME/control/retrylongest"
start_stubs 1

declare -A PIDS=()
# program NAME: how the service is run by hand, one worker each.
program() {
  case $1 in
    sets) COMMAND=(env POSTERN_SPOOL=sets "$B/postern-bind" sets "$(id -un)" "$B/postern-queue" --serve --workers 1) ;;
    setq) COMMAND=(env POSTERN_SPOOL=sets "$B/postern-workq") ;;
    workq | send) COMMAND=("$B/postern-$1") ;;
    *) COMMAND=("$B/postern-bind" "$1" "$(id -un)" "$B/postern-$1" --serve --workers 1) ;;
  esac
}
catches_alarm() { [ $((0x$(sed -n 's/^SigCgt:\t//p' "/proc/$1/status") & 1 << (14 - 1))) != 0 ]; } 2> /dev/null
# up NAME [STRACE…]
up() {
  local name=$1; shift
  program "$name"
  start "$name" "$@" "${COMMAND[@]}"
  PIDS[$name]=$LAST_PID
  # Before that a wake would be its end.
  case $#$name in 0setq | 0send | 0workq) wait_for 30 catches_alarm "$LAST_PID" ;; esac
}
down() {
  pkill -KILL -P "${PIDS[$1]}"
  kill -KILL "${PIDS[$1]}"
  wait "${PIDS[$1]}"
} 2> /dev/null
# Its tracer may be gone with it, or be its parent: all that is left of it.
down_traced() {
  local child
  for child in $(pgrep -P "${PIDS[$1]}"); do pkill -KILL -P "$child"; done 2> /dev/null
  down "$1"
}
# wake NAME…: what a kill has left untold in a FIFO, and what is to be tried again, is looked at now.
wake() { local name; for name; do kill -ALRM "${PIDS[$name]}"; done; }
spool_entries() { find "$POSTERN_HOME/$1"/{new,cur} -type f; }
# What a scan of message N has come to so far.
delivered() { grep -cE "^local a@far.example $1(\||\$)" "$T/jobs"; }
held() { "$B/postern-quarantine" list Policy 2> /dev/null | awk -F '\t' -v reason="copy of $1" '$8 == reason' | wc -l; }
counts() { echo "$(delivered "r$N@home.example") $(delivered "r-bcc-r$N@home.example") $(held "r$N@home.example")"; }
settled() { [ -z "$(spool_entries work)$(spool_entries sets)$(spool_entries queue)" ]; }
was_killed() { grep -q 'killed by SIGKILL' "$T"/trace.*; }
hit_or_settled() { was_killed || { settled && ! kill -0 "$CLIENT" 2> /dev/null; }; }
mail set > "$T/message"
N=100
# hand_in KIND: to scanq in the conversation, or into work/; the client's process is $CLIENT.
hand_in() {
  printf 'Fa@far.example\0Tr%s@home.example\0\0' "$N" > "$T/envelope"
  if [ "$1" = work ]; then
    POSTERN_SPOOL=work POSTERN_MID=$((7000000 + N)) POSTERN_ICID=77 POSTERN_DIRECTION=in "$B/postern-queue" < "$T/message" 1< "$T/envelope" 2>> "$T/put.log" || fail "put"
    CLIENT=0
  else
    timeout 60 python3 "$TESTS/ask.py" scanq POSTERN_MID=$((7000000 + N)) POSTERN_DIRECTION=in "0<$T/message" "1<$T/envelope" > /dev/null 2>&1 &
    CLIENT=$!
  fi
}
services="queue sets scanq quarantine setq send workq"
for name in $services; do up "$name"; done

kills=0 refused=0 again=0
# round KIND PROGRAM CALL WHEN
round() {
  local kind=$1 name=$2 call=$3 when=$4 code=0 hit=no
  N=$((N + 1))
  rm -f "$T"/trace.*
  down "$name"
  up "$name" strace -q -f -o "$T/trace.$name" -e "trace=$call" -e "inject=$call:signal=KILL:when=$when"
  case $name in setq | send | workq) ;; *) wait_for 30 [ -S "$POSTERN_HOME/run/$name" ] ;; esac
  hand_in "$kind"
  wait_for 30 hit_or_settled
  if was_killed; then
    kills=$((kills + 1)) hit=yes
    # The first output is delivered before the rest is tried again: then send alone knows that it was here.
    if [ "$name" != send ] && [ -n "$(spool_entries sets)$(spool_entries work)" ] && [ "$(find "$POSTERN_HOME"/queue/{new,cur} -type f | wc -l)" != 0 ]; then
      again=$((again + 1))
      first_is_out() { [ "$(delivered "r$N@home.example")" != 0 ] || { wake send; false; }; }
      wait_for 30 first_is_out
    fi
  fi
  down_traced "$name"
  up "$name"
  [ "$CLIENT" = 0 ] || { wait "$CLIENT"; code=$?; }
  try_again() { settled || { wake setq workq send; false; }; }
  wait_for 30 try_again
  case $code:$(counts) in
    0:"1 1 1") ;;
    0:*) fail "$kind, $name killed at $call $when ($hit): $(counts) of 1 1 1" ;;
    *:"0 0 0" | *:"1 1 1") refused=$((refused + 1)) ;;
    *) fail "$kind, $name killed at $call $when, the client heard $code: a part of it came: $(counts)" ;;
  esac
}
# A kill of postern-send between a delivery and its state byte delivers twice, with sets or without: not here.
faults=(sets:fsync:1 sets:renameat2:1 sets:fsync:2 sets:sendto:1
  scanq:memfd_create:2 scanq:sendmsg:1 scanq:sendmsg:2 scanq:sendmsg:3 scanq:sendmsg:4 scanq:sendto:1 scanq:sendto:2
  setq:renameat2:1 setq:memfd_create:1 setq:clone:1 setq:read:3 setq:unlink:1 setq:unlink:2
  queue:fsync:1 queue:renameat2:1 queue:fsync:2 queue:sendto:1 queue:fsync:3 queue:renameat2:2 queue:fsync:4 queue:sendto:2
  quarantine:fsync:1 quarantine:renameat2:1 quarantine:fsync:2 quarantine:fdatasync:1 quarantine:sendto:1
  send:renameat2:1)
for fault in "${faults[@]}"; do round inline ${fault//:/ }; done
echo "inline: $kills kills; $again times an output was out before the rest was tried again; $refused clients heard no"
[ $kills -gt 22 ] && [ $again -gt 5 ] || fail "the kills did not hit"
kills=0 again=0 refused=0
faults=(sets:renameat2:1 sets:fsync:2 sets:sendto:1 scanq:sendmsg:1 scanq:sendmsg:2 scanq:sendto:1 setq:unlink:1 setq:unlink:2
  queue:renameat2:1 queue:fsync:2 queue:sendto:1 queue:renameat2:2 quarantine:renameat2:1 quarantine:sendto:1)
for fault in "${faults[@]}" workq:renameat2:1 workq:memfd_create:1 workq:clone:1 workq:read:3 workq:unlink:1 workq:unlink:2; do round work ${fault//:/ }; done
echo "deferred: $kills kills; $again times an output was out before the rest was tried again"
[ $kills -gt 15 ] && [ $again -gt 5 ] && [ $refused = 0 ] || fail "the kills did not hit"
leftovers() { find "$POSTERN_HOME"/{sets,work,queue}/{new,cur,defer} -type f; }
expect_equal "$(leftovers)" "" "what is left"
