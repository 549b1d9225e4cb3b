#!/bin/bash
# needs: user
# Each seeded fault fails in the case that names it and in no other.
. "$(dirname "$0")/../lib.sh"
make_home
export TMPDIR=$T

# Three at a time: most of them wait.
one() {
  local want got code seconds=60
  case $2 in bad-hangs) seconds=2 ;; bad-outlives-client) seconds=8 ;; esac
  want=$(sed -n 's/^# fails: //p' "$1")
  timeout 120 "$B/postern-stagetest" --timeout $seconds "$1" > "$T/$2.out" 2>&1
  code=$?
  got=$(sed -n 's/^FAIL *\([a-z0-9-]*\):.*/\1/p' "$T/$2.out" | xargs)
  [ "$code" = 1 ] && [ "$want" = "$got" ] && return 0
  echo "$2: exit $code, should fail in '$want', fails in '$got'"
  cat "$T/$2.out"
}
export -f one
export B T
ls "$TESTS"/stages/bad-*.sh > "$T/list"
[ "$(wc -l < "$T/list")" -ge 6 ] || fail "seeded stages are missing"
while read -r stage; do printf '%s\0%s\0' "$stage" "$(basename "$stage" .sh)"; done < "$T/list" |
  xargs -0 -n 2 -P 3 bash -c 'one "$@"' one > "$T/wrong" 2>&1
[ ! -s "$T/wrong" ] || { cat "$T/wrong"; fail "a seeded fault is not told by its name"; }
exit 0
