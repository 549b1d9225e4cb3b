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
