#!/bin/bash
# postern-queue killed at any of its system calls: what stands in new/ is whole, what does not was never answered with 0.
. "$(dirname "$0")/../lib.sh"
need strace
make_own_instance
{ mail one; head -c 200000 /dev/zero | tr '\0' 'x'; } > "$T/message"
printf 'Fa@x\0Tb@y\0\0' > "$T/envelope"
whole=0 none=0
for call in openat write fsync close renameat2 access; do
  for when in 1 2 3 4 5 6; do
    POSTERN_MID=4711 strace -o "$T/trace" -e trace=$call -e inject=$call:signal=KILL:when=$when \
      "$B/postern-queue" < "$T/message" 1< "$T/envelope" 2> "$T/log"
    code=$?
    if [ -n "$(spool_files new)" ]; then
      expect_in <("$B/postern-qread") $'^4711\tnew\t.*\tP <b@y>$'
      cmp <(head -c "$(wc -c < "$T/message")" "$(spool_files new)") "$T/message" || fail "the message after a kill at $call $when"
      whole=$((whole + 1))
    else
      [ $code != 0 ] || fail "exit code 0 without a message, at $call $when"
      none=$((none + 1))
    fi
    find "$POSTERN_HOME"/queue/{tmp,new} -type f -delete
    [ $code != 0 ] || break
  done
done
[ $whole -gt 3 ] && [ $none -gt 3 ] || fail "$whole runs left a message, $none none: the kills did not hit"
