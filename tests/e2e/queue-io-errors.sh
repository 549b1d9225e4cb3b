#!/bin/bash
# Whatever call fails on the way to the disk: a temporary code, no debris in tmp/, nothing in new/ that nobody answers for.
. "$(dirname "$0")/../lib.sh"
need strace
make_own_instance
mail one > "$T/message"
printf 'Fa@x\0Tb@y\0\0' > "$T/envelope"

fault() {  # CODES INJECTION…
  local codes=$1 one; shift
  local options=()
  for one; do options+=(-e "inject=$one"); done
  POSTERN_MID=4242 strace -o "$T/trace" "${options[@]}" "$B/postern-queue" < "$T/message" 1< "$T/envelope" 2> "$T/log"
  local code=$?
  grep -q INJECTED "$T/trace" || fail "nothing was injected by $*"
  [[ " $codes " = *" $code "* ]] || { cat "$T/log"; fail "exit code $code with $*"; }
  expect_in "$T/log" '^Warning: postern-queue: unable to queue a message: '
  expect_equal "$(spool_files tmp)$(spool_files new)$(spool_files cur)" "" "files after $*"
}
fault 53 fsync:error=EIO:when=1
fault 53 fsync:error=ENOSPC:when=1
fault 64 fsync:error=EIO:when=2
fault 64 renameat2:error=EIO:when=1
fault 64 renameat2:error=EROFS:when=1
fault 53 write:error=EIO:when=1
fault 53 write:error=ENOSPC:when=2
fault 53 write:error=EDQUOT:when=1
fault "54" pread64:error=EIO:when=1
# Taken over before it could be taken back: refused, and said. strace lets the fsync of the directory return late.
mail one > "$T/message"
POSTERN_MID=4242 strace -o "$T/trace" -e inject=fsync:error=EIO:delay_exit=500000:when=2 "$B/postern-queue" < "$T/message" 1< "$T/envelope" 2> "$T/log" &
late=$!
new=$POSTERN_HOME/queue/new/$((4242 % 16))/4242 cur=$POSTERN_HOME/queue/cur/$((4242 % 16))/4242
wait_for 30 test -e "$new"
mv "$new" "$cur"
wait $late; expect_equal $? 64 "the fsync of new/ failed"
expect_in "$T/log" 'unable to take back MID 4242'
rm "$cur"
# Which open is which: every single one in turn must not lead to debris or to a permanent code.
for when in 1 2 3; do
  for error in EMFILE EIO EROFS; do
    POSTERN_MID=4242 strace -o "$T/trace" -e inject=openat,open:error=$error:when=$when "$B/postern-queue" < "$T/message" 1< "$T/envelope" 2> "$T/log"
    code=$?
    if [ $code = 0 ]; then
      # Only the wake-up of send may fail unnoticed.
      grep INJECTED "$T/trace" | sees 'queue/wake' || ! grep -q INJECTED "$T/trace" || fail "exit code 0 with $(grep INJECTED "$T/trace")"
      rm -f "$POSTERN_HOME"/queue/new/*/4242
    elif [ $code -le 40 ]; then
      fail "permanent code $code with $(grep INJECTED "$T/trace")"
    fi
    expect_equal "$(spool_files tmp)$(spool_files new)" "" "files after $error at open $when"
  done
done
# Short writes and interrupted ones are finished.
POSTERN_MID=4242 strace -o "$T/trace" -e inject=write:retval=7:when=1 "$B/postern-queue" < "$T/message" 1< "$T/envelope" 2> "$T/log"
rm -f "$POSTERN_HOME"/queue/new/*/4242
POSTERN_MID=4243 strace -o "$T/trace" -e inject=write:error=EINTR:when=1 -e inject=fsync:error=EINTR:when=1 "$B/postern-queue" < "$T/message" 1< "$T/envelope" 2> "$T/log"
code=$?
[ $code = 0 ] || [ $code -gt 40 ] || fail "exit code $code after EINTR"
[ $code != 0 ] || cmp <(head -c "$(wc -c < "$T/message")" "$POSTERN_HOME"/queue/new/*/4243) "$T/message" || fail "the message after EINTR"
