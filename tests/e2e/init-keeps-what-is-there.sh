#!/bin/bash
# postern-init twice: what the operator edited stays, mailboxes and mail stay, an option given anew is obeyed, and the run scripts
# are made afresh.
. "$(dirname "$0")/../lib.sh"
make_instance --local home.example --user alice --route far.example:127.0.0.2:2525
[ -x "$POSTERN_HOME/service/smtpd/run" ] && [ -x "$POSTERN_HOME/service/smtpd/log/run" ] || fail "no run scripts"
expect_in "$T/init.log" "^Info: instance $POSTERN_HOME is ready, SMTP on 127.0.0.1:$PORT; run it with: svscan $POSTERN_HOME/service$"
expect_equal "$(head -n 1 "$POSTERN_HOME/control/me")" mx.example.org "me"
expect_equal "$(cat "$POSTERN_HOME/control/locals")" home.example "locals"
for file in concurrencylocal stages tcp.smtp queuelifetime; do [ -s "$POSTERN_HOME/control/$file" ] || fail "no control/$file"; done

echo 77 > "$POSTERN_HOME/control/concurrencylocal"
echo none > "$POSTERN_HOME/control/stages"
echo '10.:allow,RELAYCLIENT=""' > "$POSTERN_HOME/control/tcp.smtp"
echo more.example >> "$POSTERN_HOME/control/rcpthosts"
echo x > "$POSTERN_HOME/service/smtpd/env/POSTERN_LISTENER"
echo "mail" > "$POSTERN_HOME/mail/alice/Maildir/new/1.kept"
echo '=postmaster:alice:1:1:/x:::' > "$T/line"
sed -i '1i =postmaster:alice:1:1:/x:::' "$POSTERN_HOME/users/assign"
echo "not ours" > "$POSTERN_HOME/service/smtpd/run"
MID=4711 queue_message a@x b@y < <(mail one) 2> "$T/log" || fail "queue: $(cat "$T/log")"

"$B/postern-init" "$POSTERN_HOME" --user bob > "$T/init2.log" 2>&1 || { cat "$T/init2.log"; fail "the second postern-init"; }
expect_equal "$(cat "$POSTERN_HOME/control/concurrencylocal")" 77 "an edited number"
expect_equal "$(cat "$POSTERN_HOME/control/stages")" none "edited stages"
expect_equal "$(cat "$POSTERN_HOME/control/rcpthosts" | tr '\n' ' ')" "home.example more.example " "edited rcpthosts"
expect_equal "$(head -n 1 "$POSTERN_HOME/control/me")" mx.example.org "me, not given again"
expect_equal "$(cat "$POSTERN_HOME/control/listen")" "127.0.0.1:$PORT" "listen, not given again"
expect_equal "$(cat "$POSTERN_HOME/control/smtproutes")" far.example:127.0.0.2:2525 "routes, not given again"
expect_equal "$(cat "$POSTERN_HOME/service/smtpd/env/POSTERN_LISTENER")" x "an operator's env file"
expect_equal "$(cat "$POSTERN_HOME/mail/alice/Maildir/new/1.kept")" mail "alice's mail"
expect_equal "$(grep -c '^=alice:' "$POSTERN_HOME/users/assign")" 1 "alice's line"
expect_equal "$(grep -c '^[=+]bob' "$POSTERN_HOME/users/assign")" 2 "bob's lines"
expect_in "$POSTERN_HOME/users/assign" '^=postmaster:'
expect_equal "$(tail -n 1 "$POSTERN_HOME/users/assign")" . "the end of users/assign"
expect_in "$POSTERN_HOME/service/smtpd/run" tcp:127.0.0.1:"$PORT"
expect_equal "$("$B/postern-qread" | cut -f1)" 4711 "the queue"
[ -d "$POSTERN_HOME/mail/bob/Maildir/new" ] || fail "no mailbox for bob"
# tcp.smtp.cdb says what the edited table says.
expect_in <(env TCPREMOTEIP=10.1.1.1 tcprulescheck "$POSTERN_HOME/control/tcp.smtp.cdb") 'RELAYCLIENT'

cp -a "$POSTERN_HOME" "$T/before"
"$B/postern-init" "$POSTERN_HOME" --me other.example.org --local two.example --user alice > "$T/init3.log" 2>&1 || fail "the third"
expect_equal "$(cat "$POSTERN_HOME/control/me" "$POSTERN_HOME/control/locals")" "other.example.org
two.example" "options given anew"
cmp "$T/before/users/assign" "$POSTERN_HOME/users/assign" || fail "users/assign changed"
