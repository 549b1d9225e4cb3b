# For the tests of postern-quarantine, after lib.sh.
TAB=$'\t'
make_store() {
  make_home
  mkdir -m 700 "$POSTERN_HOME/quarantine"
  mkdir -p "$POSTERN_HOME/store"
}
# mail_file SUBJECT: a message in $T/mail and its envelope in $T/envelope.
mail_file() {
  printf 'From: a@example.org\nSubject: %s\n\nhello\n' "$1" > "$T/mail"
  printf 'Fa@example.org\0Tb@example.net\0Tc@example.net\0\0' > "$T/envelope"
}
# put MID NAME REASON [VAR=VALUE]…
put() {
  local mid=$1 name=$2 reason=$3; shift 3
  env POSTERN_MID="$mid" "$@" "$B/postern-quarantine" put "$name" "$reason" < "$T/mail" 3< "$T/envelope" 2> "$T/log"
}
quarantine() { "$B/postern-quarantine" "$@" 2> "$T/log"; }
# killed_at CALL N ARGUMENT…: the quarantine under strace, killed at its Nth CALL; false when it did not come so far.
killed_at() {
  local call=$1 count=$2; shift 2
  { strace -f -o "$T/trace" -e "inject=$call:signal=KILL:when=$count" "$B/postern-quarantine" "$@" > "$T/out" 2> "$T/log"; } 2> /dev/null
  grep -q 'killed by SIGKILL' "$T/trace"
}
# What a put, a release and a deletion can be killed at.
DISK_CALLS="fsync fdatasync renameat2 rename pwrite64 unlink ftruncate"
# store_is_sound: check finds nothing, or with --repair mends all that it finds.
store_is_sound() {
  quarantine check --repair > "$T/found" || { cat "$T/found" "$T/log"; return 1; }
  quarantine check > "$T/found" && [ ! -s "$T/found" ] || { cat "$T/found"; return 1; }
}
