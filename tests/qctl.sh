# For tests of postern-qctl: an instance whose rspawn is a script in the test's hand.

# make_deliverer: rspawn says what $T/verdict holds (s or r, with a text), after $T/gate is there if $T/wait is, and
# notes HOST, POSTERN_ROUTE and each recipient in $T/deliveries.
make_deliverer() {
  echo 'snot now' > "$T/verdict"
  : > "$T/deliveries"
  cat > "$T/deliver" <<S
#!/bin/bash
host=\$1
shift 2
echo "begin \$*" >> "$T/begun"
while [ -e "$T/wait" ] && [ ! -e "$T/gate" ]; do sleep 0.02; done
for recipient; do
  echo "\$host \${POSTERN_ROUTE:--} \$recipient" >> "$T/deliveries"
  printf '%s\\000' "\$(cat "$T/verdict")"
done
printf 'Ksaid\\000'
S
  chmod 755 "$T/deliver"
  : > "$T/begun"
  start rspawn "$B/postern-serve" --workers "${WORKERS:-4}" run/rspawn "$T/deliver"
  printf '#!/bin/sh\ncat > "%s/local.$$"\nprintf "rhere\\000Kdone\\000"\n' "$T" > "$T/mailbox"
  chmod 755 "$T/mailbox"
  start lspawn "$B/postern-serve" --workers 2 run/lspawn "$T/mailbox"
}
qctl() { "$B/postern-qctl" "$@" > "$T/qctl.out" 2> "$T/qctl.err"; }
must_qctl() { qctl "$@" || fail "qctl $*: exit $?: $(cat "$T/qctl.err")"; }
qread_has() { "$B/postern-qread" | grep -qE -- "$1"; }
delivered_to() { grep -qF -- "$1" "$T/deliveries"; }
tries_of() { "$B/postern-qread" | grep "^$1	" | cut -f5; }
tried_times() { [ "$(tries_of "$1")" = "$2" ]; }
send_gone() { ! kill -0 "$SEND" 2> /dev/null; }
start_send() { start send "$B/postern-send"; SEND=$LAST_PID; }
kill_send() { kill -9 "$SEND"; wait_for 30 send_gone; wait "$SEND" 2> /dev/null; return 0; }
# queued MID RECIPIENT…: from alice@home.example, put in the queue.
queued() { local mid=$1; shift; mail "m$mid" | MID=$mid queue_message alice@home.example "$@" 2> /dev/null || fail "queue $mid"; }
