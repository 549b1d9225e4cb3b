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
# scan [VAR=VALUE]…: one message; reason in $T/reason, log in $T/log; what was queued before is forgotten.
scan() {
  find "$POSTERN_HOME/queue/new" "$POSTERN_HOME/quarantine" -type f -delete
  : > "$T/reason"
  env POSTERN_QUEUE="$B/postern-queue" POSTERN_QUARANTINE_PROGRAM="$B/postern-quarantine" TCPREMOTEIP=192.0.2.1 POSTERN_MID=4711 "$@" \
    "$B/postern-scanq" < "$T/message" 1< "$T/envelope" 6> "$T/reason" 2> "$T/log"
}
# queued [MID]: the message as it stands in the queue.
queued() {
  local file size
  file=$(find "$POSTERN_HOME/queue/new" -name "${1:-4711}")
  size=$("$B/postern-qread" | awk -F '\t' -v mid="${1:-4711}" '$1 == mid { print $4 }')
  [ -n "$file" ] && head -c "$size" "$file"
}
nothing_kept() { expect_equal "$(spool_files new)$(spool_files tmp)$(find "$POSTERN_HOME/quarantine" -type f)" "" "files after $1"; }
