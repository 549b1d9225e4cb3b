#!/bin/bash
# once: the users do not matter to it
# Each system call that smtpd, scanq, queue and quarantine make on a message's way fails in turn with each error that fits (EIO, ENOSPC,
# EDQUOT, EROFS, EMFILE, ENFILE, ENOMEM): a temporary reply and no debris, or 250 and the message is there.
. "$(dirname "$0")/../lib.sh"
need strace python3
strace -o /dev/null true 2> /dev/null || skip "strace may not trace here"
make_own_instance --local home.example
rm "$POSTERN_HOME"/control/{hat,hat.bin,recipientchecks}  # nobody is there whom they would have smtpd ask
cat > "$T/stage" <<'X'
#!/bin/sh
tr '\0' '\n' <&3 | grep -q '^Theld@' && printf 'quarantine\tHeld\tasked for\n'
exit 0
X
chmod 755 "$T/stage"
echo "held $T/stage" > "$POSTERN_HOME/control/stages"
python3 "$TESTS/every_call.py" "$B" "$POSTERN_HOME" queue quarantine scanq smtpd || fail "see above"
