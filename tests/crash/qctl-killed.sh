#!/bin/bash
# postern-qctl killed at any of its system calls, or a fault in one: an order is there whole or not at all, it is said only
# when it is durable, and the message goes its way.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/qctl.sh"
need strace
make_own_instance --local home.example --user alice
strace -o /dev/null true 2> /dev/null || skip "strace may not trace here"
defer() { echo "$POSTERN_HOME/queue/defer/$(($1 % 16))/$1"; }
mid=4700 there=0 none=0
for fault in openat:signal=KILL:when=2 write:signal=KILL syncfs:signal=KILL write:error=ENOSPC write:error=EIO syncfs:error=EIO \
  openat:error=EMFILE:when=2; do
  mid=$((mid + 1))
  queued $mid "a@far.example" "b@near.example"
  call=${fault%%:*}
  filter=(-P "$(defer $mid)")
  [ $call = syncfs ] && filter=()
  strace -o "$T/trace" "${filter[@]}" -e trace=$call -e inject=$fault "$B/postern-qctl" hold --mid $mid --site near.example > "$T/said" 2> "$T/err"
  code=$?
  grep -qE 'INJECTED|killed by SIGKILL' "$T/trace" || fail "$fault did not hit"
  [ $code != 0 ] || fail "$fault: exit 0"
  expect_not_in "$T/said" '^hold'
  case $("$B/postern-qread" --mid $mid | cut -f8-) in
    $'P <a@far.example>\tH <b@near.example>') there=$((there + 1)) ;;
    $'P <a@far.example>\tP <b@near.example>') none=$((none + 1)) ;;
    *) fail "$fault: $("$B/postern-qread")" ;;
  esac
  # Asked again it is ordered, and said.
  must_qctl hold --mid $mid --site near.example
  expect_equal "$("$B/postern-qread" --mid $mid | cut -f9)" "H <b@near.example>" "after the second time"
done
[ $there -gt 1 ] && [ $none -gt 1 ] || fail "$there orders were there, $none not: the faults did not hit"
# Half a line of a full disk, and then more: it orders nothing.
mid=4790
queued $mid a@far.example
printf '\no remove 1 root 0' > "$(defer $mid)"
expect_equal "$("$B/postern-qread" --mid $mid | cut -f8)" "P <a@far.example>" "a cut order"
must_qctl hold --mid $mid
expect_equal "$("$B/postern-qread" --mid $mid | cut -f8)" "H <a@far.example>" "an order behind a cut one"
make_deliverer
echo rtaken > "$T/verdict"
start_send
must_qctl release --all
wait_for 30 queue_empty
expect_equal "$(wc -l < "$T/deliveries")" 15 "deliveries"
expect_equal "$(spool_files "" | grep -v /lock)" "" "files at the end"
