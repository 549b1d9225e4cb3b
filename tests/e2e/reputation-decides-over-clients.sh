#!/bin/bash
# R02, R11, A08: over SMTP: a client with a score of -8 is refused before any MAIL, and the log says group and score; who harvests or sends viruses loses
# his score by that, but harvesting alone blocks nobody, and neither bounces nor what we would have to relay count; while repd is away everybody is neutral, which is logged.
. "$(dirname "$0")/../lib.sh"
[ -x "$B/postern-hat" ] || skip "there is no Host Access Table"
make_signatures
make_instance --local home.example --user alice --clamdb "$T/clamdb"
# Loopback is no relay client here.
echo ':allow' > "$POSTERN_HOME/control/tcp.smtp"
tcprules "$POSTERN_HOME/control/tcp.smtp.cdb" "$T/tcp.tmp" < "$POSTERN_HOME/control/tcp.smtp" || fail tcprules
chmod 644 "$POSTERN_HOME/control/tcp.smtp.cdb"
echo '127.0.0.2 -8' > "$POSTERN_HOME/control/reputationtable"
cat > "$POSTERN_HOME/control/policies" <<'D'
OPEN ACCEPT max_connections=0 max_invalid_recipients=0 max_messages_per_connection=0
SHUT REJECT
D
cat > "$POSTERN_HOME/control/hat" <<'D'
BLOCKED_LIST:
    SBRS[-10:-3]
    $SHUT
SUSPECTLIST:
    SBRS[-3:-1]
    $OPEN
ALL: $OPEN
D
echo 'DEFAULT users=on' > "$POSTERN_HOME/control/recipientchecks"
"$B/postern-hat" compile > "$T/compile" 2>&1 || { cat "$T/compile"; fail "postern-hat compile"; }
run_instance
from() { FROM_ADDRESS=$1 inject "${@:2}"; }
as_smtpd() { if [ "$(id -u)" = 0 ]; then setuidgid posternd "$@"; else "$@"; fi; }
explain() { as_smtpd python3 "$TESTS/ask.py" repd -- explain "$1"; }

mail one | from 127.0.0.2 s@other.example alice@home.example > "$T/reply"
sees -E '554|no answer: \(554' < "$T/reply" || { cat "$T/reply"; fail "-8 was not refused"; }
wait_for 30 logged smtpd 'REJECT SG BLOCKED_LIST match SBRS\[-10:-3\] SBRS -8'
expect_not_in <(log_of smtpd) 'From: <s@other.example>'

mail two | from 127.0.0.3 s@other.example alice@home.example | sees ^250 || fail "a client nobody knows was not accepted"
accepted() { explain 127.0.0.3 | sees '^history accepted 1 spam 0 virus 0 unknown 0'; }
wait_for 30 accepted

for i in 1 2 3 4 5 6 7; do
  mail three | from 127.0.0.4 "" "forged$i@home.example" > "$T/reply"
  mail three | from 127.0.0.4 s@other.example "nobody$i@elsewhere.example" > "$T/reply"
done
for i in 1 2 3 4 5 6 7 8; do
  mail three | from 127.0.0.4 s@other.example "nobody$i@home.example" > "$T/reply"
  sees '^550 5.1.1' < "$T/reply" || fail "nobody$i has a mailbox: $(cat "$T/reply")"
done
known() { explain 127.0.0.4 > "$T/known"; sees 'unknown 8 -2.9' < "$T/known"; }
wait_for 30 known
expect_in "$T/known" '^score -2.9$'
mail four | from 127.0.0.4 s@other.example alice@home.example | sees ^250 || fail "unknown recipients alone shut a client out"
wait_for 30 logged smtpd 'ACCEPT SG SUSPECTLIST match SBRS\[-3:-1\] SBRS -2.9'

python3 -B "$TESTS/edited_mail.py" make mixed "$T/eicar.com" > "$T/virus"
from 127.0.0.5 s@other.example alice@home.example < "$T/virus" > "$T/reply"
virus() { explain 127.0.0.5 | sees '^history accepted 0 spam 0 virus 1 unknown 0 -'; }
wait_for 30 virus

expect_not_in <(log_of repd) Warning

stop_service repd
mail six | from 127.0.0.4 s@other.example alice@home.example | sees ^250 || fail "no neutral score while repd is away"
wait_for 30 logged smtpd 'Warning: postern-smtpd: unable to learn the score of 127.0.0.4'
start_service repd
