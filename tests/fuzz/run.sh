#!/bin/bash
# Fuzzes every parser of hostile input: run.sh [SECONDS [NAME...]], 10 seconds each unless told. Builds each tests/fuzz/NAME.cc
# with clang's libFuzzer, ASan and UBSan, starting from tests/fuzz/corpus/NAME; new finds are kept in build/fuzz/corpus/NAME,
# what breaks something in build/fuzz/crashes. With 0 seconds the corpora are only run through once.
# Prints for each target: seeds (inputs at the start), executions, edges covered at the start and at the end of those that the target has
# (libFuzzer's "cov"), seconds; and for one that failed, the file with the input that did it.
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
  "$CLANG" "${FLAGS[@]}" -fsanitize=fuzzer-no-link,address,undefined -MMD -c "$1" -o "$REPLY" ||
    { rm -f "$REPLY"; return 1; }
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
  "$CLANG" -fsanitize=fuzzer,address,undefined "${objects[@]}" $OUT/libpostern.a $(comment "$source" libs) -lcdb -lxxhash -lidn2 \
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

seeds() {  # NAME
  find "$OUT/corpus/$1" "tests/fuzz/corpus/$1" -type f 2> /dev/null | wc -l
}

# What libFuzzer said: "#2 INITED cov: 10 ft: ..." and the like, "Done 12 runs in 3 second(s)".
figures() {  # NAME SEEDS
  local log=$OUT/$1.log inited all done_
  inited=$(sed -n 's/.*INITED cov: \([0-9]*\) .*/\1/p' "$log" | head -n 1)
  all=$(sed -n 's/^INFO: Loaded .*(\([0-9]*\) inline 8-bit counters).*/\1/p' "$log" | head -n 1)
  done_=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
  local runs seconds
  read -r runs seconds <<< "$(sed -n 's/^Done \([0-9]*\) runs in \([0-9]*\) second.*/\1 \2/p' "$log" | tail -n 1)"
  printf '%6s seeds %9s executions %5s to %5s of %5s edges %4s s' "$2" "${runs:-?}" "${inited:-?}" "${done_:-?}" "${all:-?}" "${seconds:-?}"
}

mkdir -p $OUT
library || { echo "0 passed, ${#NAMES[@]} failed"; exit 1; }
PASSED=0
FAILED=0
for name in "${NAMES[@]}"; do
  SEEDS=$(seeds "$name")
  rm -f "$OUT/$name.log"
  if build "$name" && fuzz "$name"; then
    PASSED=$((PASSED + 1))
    printf 'pass  %-18s %s\n' "$name" "$(figures "$name" "$SEEDS")"
  else
    FAILED=$((FAILED + 1))
    printf 'fail  %-18s %s\n' "$name" "$([ ! -f "$OUT/$name.log" ] || figures "$name" "$SEEDS")"
    input=$(sed -n 's/.*Test unit written to //p' "$OUT/$name.log" 2> /dev/null | tail -n 1)
    [ -z "$input" ] || echo "      the input: $input; again with: $OUT/$name $input"
    [ ! -f "$OUT/$name.log" ] || tail -n 40 "$OUT/$name.log" | sed 's/^/      /'
  fi
done
echo "$PASSED passed, $FAILED failed"
[ "$FAILED" = 0 ] && [ "$PASSED" -gt 0 ]
