#!/bin/bash
# Runs the tests: run.sh BUILD-DIRECTORY [PATTERN]. Unit tests, the same under ASan+UBSan, then every end-to-end and crash
# test: as root (with the privilege split) and as an ordinary user when we are root, else as the caller alone.
# STRICT=1 makes any skip a failure. Ends with "N passed, N failed, N skipped".
set -u
BUILD=$(cd "$1" && pwd) || exit 1
PATTERN=${2:-}
HERE=$(cd "$(dirname "$0")" && pwd)
STAGE=$(mktemp -d "${TMPDIR:-/tmp}/postern-check.XXXXXX")
trap 'rm -rf "$STAGE"' EXIT
# Where every user can read it, also when only root can enter the checkout.
chmod 755 "$STAGE"
mkdir -p "$STAGE/build" "$STAGE/results"
cp -r "$BUILD/bin" "$STAGE/build/bin"
[ ! -f "$BUILD/release/mime-pieces" ] || cp "$BUILD/release/mime-pieces" "$STAGE/build/"
cp -r "$HERE" "$STAGE/tests"
cp -r "$HERE/../conf-files" "$STAGE/conf-files"
mkdir "$STAGE/doc"
cp -r "$HERE/../doc/samples" "$STAGE/doc/samples"
mkdir "$STAGE/shared"
cp -r "${POSTERN_SHARED:-$HERE/../../shared}/suites" "$STAGE/shared/suites" 2> /dev/null
export POSTERN_SHARED=$STAGE/shared
chmod -R a+rX "$STAGE"
export POSTERN_BIN=$STAGE/build/bin

result() {  # NAME CODE LOG SECONDS
  local word=pass
  case $2 in
    0) ;;
    77) word=skip; [ "${STRICT:-}" = 1 ] && word=fail ;;
    *) word=fail ;;
  esac
  echo "$word $1" > "$STAGE/results/${1//\//_}"
  printf '%-5s %3d s  %s\n' "$word" "$4" "$1"
  if [ $word = skip ]; then grep -E '^SKIP' "$3" | sed 's/^/      /'; fi
  if [ $word = fail ]; then sed 's/^/      /' "$3" | tail -n 60; fi
}

run_one() {  # WHO SCRIPT; or "unit" and a program of unit tests
  local kind name log code begun=$SECONDS
  kind=$(basename "$(dirname "$2")")
  name=$1/$kind/$(basename "$2" .sh)
  log=$(mktemp "$STAGE/log.XXXXXX")
  case $1 in
    unit) name=$1/$kind; timeout 600 "$2" > "$log" 2>&1 ;;
    user) timeout -k 10 180 setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/tmp bash "$2" > "$log" 2>&1 ;;
    *) timeout -k 10 180 bash "$2" > "$log" 2>&1 ;;
  esac
  code=$?
  result "$name" $code "$log" $((SECONDS - begun))
  if [ "$1" = unit ]; then grep -E '^SKIP|^\[doctest\] test cases:' "$log"; fi
}

static_programs() {
  local log=$STAGE/log.static code=0 program
  for program in smtpd scanq queue local vdeliver; do
    file=$STAGE/build/bin/postern-$program
    if nm -C "$file" | grep -q 'ios_base::Init'; then echo "$file starts iostream" >> "$log"; code=1; fi
    if readelf -l "$file" | grep -q INTERP; then echo "$file is not static" >> "$log"; code=1; fi
  done
  touch "$log"
  result "unit/passing-programs-are-static" $code "$log" 0
}

[ -n "$PATTERN" ] || static_programs
unit_jobs() {
  [ -n "$PATTERN" ] || printf 'unit\0%s\0' "$BUILD/asan/unit" "$BUILD/release/unit"
}

# A test that says "needs: root" is not even started for others, unless there is no root run at all; one that says
# "needs: user", or that the users do not matter to it ("once"), not for root.
jobs_for() {  # WHO
  local script
  for script in "$STAGE"/tests/e2e/*.sh "$STAGE"/tests/crash/*.sh; do
    [ -f "$script" ] || continue
    case $script in *"$PATTERN"*) ;; *) continue ;; esac
    if [ "$1" = user ] && grep -q '^# needs: root' "$script"; then continue; fi
    if [ "$1" != user ] && [ "$(id -u)" = 0 ] && grep -qE '^# (needs: user|once:)' "$script"; then continue; fi
    printf '%s\0%s\0' "$1" "$script"
  done
}
export -f run_one result
export STAGE
if [ "$(id -u)" = 0 ]; then
  { unit_jobs; jobs_for root; jobs_for user; } | xargs -0 -r -n 2 -P "${PARALLEL:-7}" bash -c 'run_one "$@"' run
else
  { unit_jobs; jobs_for caller; } | xargs -0 -r -n 2 -P "${PARALLEL:-7}" bash -c 'run_one "$@"' run
fi

count() { cat "$STAGE"/results/* 2>/dev/null | grep -c "^$1 "; }
FAILED=$(count fail)
[ "$FAILED" = 0 ] || grep -h '^fail' "$STAGE"/results/*
echo "$(count pass) passed, $FAILED failed, $(count skip) skipped"
[ "$FAILED" = 0 ] && [ "$(count pass)" -gt 0 ]
