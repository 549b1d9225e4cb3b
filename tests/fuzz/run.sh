#!/bin/bash
# Fuzzes every parser of hostile input: run.sh [SECONDS [NAME...]], 10 seconds each unless told. Builds each tests/fuzz/NAME.cc
# with clang's libFuzzer, ASan and UBSan, starting from tests/fuzz/corpus/NAME; new finds are kept in build/fuzz/corpus/NAME,
# what breaks something in build/fuzz/crashes. With 0 seconds the corpora are only run through once.
# A target's comment lines say what it needs: "// parts: FOLDER/FILE.cc ...", "// libs: -lx ...".
# Ends with "N passed, N failed". Needs the Debian package clang.
set -u
cd "$(dirname "$0")/../.." || exit 1
SECONDS_EACH=${1:-10}
[ $# -gt 0 ] && shift
NAMES=("$@")
OUT=build/fuzz
CLANG=${FUZZ_CXX:-clang++}
command -v "$CLANG" > /dev/null || { echo "clang++ is missing: apt-get install --no-install-recommends clang" >&2; exit 1; }
if [ ${#NAMES[@]} = 0 ]; then
  for target in tests/fuzz/*.cc; do NAMES+=("$(basename "$target" .cc)"); done
fi

FLAGS=(-std=c++20 -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all -D_GLIBCXX_ASSERTIONS -I. -D_GNU_SOURCE
  "-DPOSTERN_DEFAULT_HOME=\"$(head -n1 conf-files/conf-home)\"" "-DPOSTERN_SPLIT=$(head -n1 conf-files/conf-split)")

# An object is made anew when anything that it includes is newer.
object() {  # SOURCE -> the object's name, in REPLY
  REPLY=$OUT/${1%.cc}.o
  local depends=${REPLY%.o}.d file
  if [ -f "$REPLY" ] && [ -f "$depends" ]; then
    local fresh=yes
    for file in $(sed 's/^[^:]*://; s/\\$//' "$depends"); do
      [ "$file" -nt "$REPLY" ] || [ ! -e "$file" ] && fresh=no
    done
    [ $fresh = yes ] && return 0
  fi
  mkdir -p "$(dirname "$REPLY")"
  # shellcheck disable=SC2046 # words
  "$CLANG" "${FLAGS[@]}" -fsanitize=fuzzer-no-link,address,undefined $(includes "$1") -MMD -c "$1" -o "$REPLY" ||
    { rm -f "$REPLY"; return 1; }
}

includes() {  # SOURCE: further flags that one of our sources needs
  case $1 in scanq/antivirus*) pkg-config --cflags gmime-3.0 | sed 's/-I/-isystem /g' ;; esac
}

comment() {  # FILE WORD: what its comment lines "// WORD: ..." say
  sed -n "s|^// $2: *||p" "$1" | tr '\n' ' '
}

library() {
  local source objects=()
  for source in lib/*.cc; do
    object "$source" || return 1
    objects+=("$REPLY")
  done
  rm -f $OUT/libpostern.a
  ar rcs $OUT/libpostern.a "${objects[@]}"
}

build() {  # NAME
  local source=tests/fuzz/$1.cc part objects=()
  for part in $(comment "$source" parts) "$source"; do
    [ "$part" = lib ] && continue
    object "$part" || return 1
    objects+=("$REPLY")
  done
  # shellcheck disable=SC2046 # words
  "$CLANG" -fsanitize=fuzzer,address,undefined "${objects[@]}" $OUT/libpostern.a $(comment "$source" libs) -lcdb -lxxhash \
    -o "$OUT/$1"
}

fuzz() {  # NAME
  mkdir -p "$OUT/corpus/$1" "$OUT/crashes" "tests/fuzz/corpus/$1"
  local limits=(-timeout=10 -rss_limit_mb=2048 "-artifact_prefix=$OUT/crashes/$1-")
  local dirs=("$OUT/corpus/$1" "tests/fuzz/corpus/$1")
  if [ "$SECONDS_EACH" = 0 ]; then
    "$OUT/$1" "${limits[@]}" -runs=0 "${dirs[@]}" > "$OUT/$1.log" 2>&1
  else
    "$OUT/$1" "${limits[@]}" -max_len=4096 "-max_total_time=$SECONDS_EACH" -print_final_stats=1 "${dirs[@]}" > "$OUT/$1.log" 2>&1
  fi
}

mkdir -p $OUT
library || { echo "0 passed, ${#NAMES[@]} failed"; exit 1; }
PASSED=0
FAILED=0
for name in "${NAMES[@]}"; do
  if build "$name" && fuzz "$name"; then
    PASSED=$((PASSED + 1))
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$OUT/$name.log")
    echo "pass  $name${runs:+: $runs runs}"
  else
    FAILED=$((FAILED + 1))
    echo "fail  $name"
    [ ! -f "$OUT/$name.log" ] || tail -n 40 "$OUT/$name.log" | sed 's/^/      /'
  fi
done
echo "$PASSED passed, $FAILED failed"
[ "$FAILED" = 0 ] && [ "$PASSED" -gt 0 ]
