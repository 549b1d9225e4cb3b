#!/bin/bash
# once: the users do not matter to it
# Each system call that send makes on a message's way fails in turn, and send is killed at each: the message still reaches everybody, and nothing is left behind.
. "$(dirname "$0")/../lib.sh"
need strace python3
strace -o /dev/null true 2> /dev/null || skip "strace may not trace here"
HOMES=()
for n in 1 2 3 4; do
  export POSTERN_HOME=$T/$n
  make_own_instance --local home.example --user alice
  cat > "$POSTERN_HOME/mailbox" <<X
#!/bin/sh
if [ "\$2" = bob@home.example ] && [ ! -e "$POSTERN_HOME/put-off" ]; then
  : > "$POSTERN_HOME/put-off"
  printf 's4.2.0 not now\\000Z4.2.0 not now\\000'
else
  echo "\$2" >> "$POSTERN_HOME/deliveries"
  printf 'rhere\\000Kdone\\000'
fi
X
  chmod 755 "$POSTERN_HOME/mailbox"
  start "lspawn.$n" "$B/postern-serve" --workers 2 run/lspawn "$POSTERN_HOME/mailbox"
  wait_for 30 test -S "$POSTERN_HOME/run/lspawn"
  HOMES+=("$POSTERN_HOME")
done
python3 "$TESTS/send_every_call.py" kills "$B" "${HOMES[@]}" || fail "see above"
python3 "$TESTS/send_every_call.py" errors "$B" "${HOMES[@]}" || fail "see above"
