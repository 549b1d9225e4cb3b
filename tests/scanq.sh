# For the tests of postern-scanq, after lib.sh: an own instance, postern-scanq as a path with postern-queue and postern-quarantine
# behind it.
TAB=$'\t'
make_own_instance
# stage NAME: the body of a shell script from descriptor 0 as $T/NAME.
stage() { { echo '#!/bin/sh'; cat; } > "$T/$1"; chmod +x "$T/$1"; }
# stages LINE…: control/stages.
stages() { printf '%s\n' "$@" > "$POSTERN_HOME/control/stages"; }
printf 'Fa@other.example\0Tb@mx.example.org\0\0' > "$T/envelope"
mail one > "$T/message"
# The queue and the sets as path programs; what scanq leaves in sets/ is placed by place_sets.
stage own-queue <<< 'unset POSTERN_SPOOL; exec '"$B"'/postern-queue "$@"'
stage own-sets <<< 'export POSTERN_SPOOL=sets; exec '"$B"'/postern-queue "$@"'
scan_settings=(POSTERN_QUEUE="$T/own-queue" POSTERN_SETS="$T/own-sets" POSTERN_QUARANTINE_PROGRAM="$B/postern-quarantine")
set_files() { find "$POSTERN_HOME"/sets/{tmp,new,cur} -type f; }
no_sets() { [ -z "$(set_files)" ]; }
place_sets() {  # [VAR=VALUE]…
  no_sets && return
  env "${scan_settings[@]}" "$@" POSTERN_SPOOL=sets POSTERN_SCANNER="$B/postern-scanq" "$B/postern-workq" 2>> "$T/log" & local pid=$!
  wait_for 30 no_sets
  kill $pid
  wait $pid 2> /dev/null
  return 0
}
# scan [VAR=VALUE]…: one message, and what it comes to is placed; reason in $T/reason, log in $T/log; what was queued before is forgotten.
scan() {
  local code
  find "$POSTERN_HOME/queue/new" "$POSTERN_HOME/quarantine" -type f -delete
  : > "$T/reason"
  env "${scan_settings[@]}" TCPREMOTEIP=192.0.2.1 POSTERN_MID=4711 "$@" \
    "$B/postern-scanq" < "$T/message" 1< "$T/envelope" 6> "$T/reason" 2> "$T/log"
  code=$?
  place_sets
  return $code
}
# queued [MID]: the message as it stands in the queue.
queued() {
  local file size
  file=$(find "$POSTERN_HOME/queue/new" -name "${1:-4711}")
  size=$("$B/postern-qread" | awk -F '\t' -v mid="${1:-4711}" '$1 == mid { print $4 }')
  [ -n "$file" ] && head -c "$size" "$file"
}
nothing_kept() { expect_equal "$(spool_files new)$(spool_files tmp)$(set_files)$(find "$POSTERN_HOME/quarantine" -type f)" "" "files after $1"; }
