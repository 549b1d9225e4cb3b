# For tests of postern-local by hand: `. "$(dirname "$0")/../local.sh"` behind lib.sh and as_user.sh.

# deliver CODE LOCAL DASH EXT [SENDER [DEFAULT]] < MESSAGE: to the home $T/u1 at example.org; what it says is $T/said.
deliver() {
  local code=$1; shift
  as_user env QMAILQUEUE="$T/queue-program" "$B/postern-local" u1 "$T/u1" "$1" "$2" "$3" example.org "${4-ann@example.net}" "${5:-./Maildir/}" > "$T/said"
  local got=$?
  [ $got = "$code" ] || { cat "$T/said"; fail "exit code $got instead of $code for $*"; }
}
# dot NAME [MODE] < LINES: the file .qmailNAME of u1.
dot() {
  cat > "$T/u1/.qmail$1"
  chmod "${2:-644}" "$T/u1/.qmail$1"
  if [ "$(id -u)" = 0 ]; then chown "$MAILBOX_UID" "$T/u1/.qmail$1"; fi
}
# A program in QMAILQUEUE's place: keeps message, envelope and extras in $T/queued; answers with the code in $T/queue-code.
make_queue_program() {
  mkdir -p "$T/queued"
  chmod 777 "$T/queued"
  echo 0 > "$T/queue-code"
  cat > "$T/queue-program" <<Q
#!/bin/sh
cat > $T/queued/message
cat <&1 > $T/queued/envelope
rm -f $T/queued/extras
[ "\$POSTERN_EXTRAS" = 5 ] && cat <&5 > $T/queued/extras
env > $T/queued/env
code=\$(cat $T/queue-code)
[ \$code = 82 ] && echo 'D554 5.7.1 not this one' >&6
exit \$code
Q
  chmod 755 "$T/queue-program"
}
# The envelope that was queued, NUL as |; and that nothing was.
queued() { tr '\0' '|' < "$T/queued/envelope"; }
nothing_queued() { [ ! -e "$T/queued/envelope" ]; }
forget_queued() { rm -f "$T"/queued/*; }
count_new() { find "$T/u1/Maildir/new" -type f | wc -l; }
