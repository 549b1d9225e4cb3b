#!/bin/bash
# R15, O18: an unknown user of this host is 550 at RCPT, and nothing is bounced: exact users, extensions, aliases and a virtual domain's
# table; what userq may not see it takes for there; and mail goes on when userq is away.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/recipients.sh"
need tcpserver python3
make_instance --local home.example --user alice
C=$POSTERN_HOME/control
echo 'DEFAULT users=on' > "$C/recipientchecks"
echo none > "$C/stages"
printf '%s\n' home.example shop.example closed.example > "$C/rcpthosts"
printf '%s\n' shop.example:shop closed.example:closed > "$C/virtualdomains"
# Two virtual domains; the home of one cannot be looked into.
OWNER=$(id -u); GROUP=$(id -g)
[ "$OWNER" = 0 ] && { OWNER=$(id -u posternm); GROUP=$(id -g posternm); }
for name in shop closed; do
  mkdir -m 755 "$POSTERN_HOME/mail/$name"
  echo "|$B/postern-vdeliver" > "$POSTERN_HOME/mail/$name/.qmail-default"
  printf '%s\n' 'ann ./ann/' 'old bounce' > "$POSTERN_HOME/mail/$name/mailboxes"
  (cd "$POSTERN_HOME/mail/$name" && "$B/postern-newv") || fail "postern-newv"
  chown -R "$OWNER:$GROUP" "$POSTERN_HOME/mail/$name"
  sed -i "s|^\.\$|+$name-:$name:$OWNER:$GROUP:$POSTERN_HOME/mail/$name:-::\n.|" "$POSTERN_HOME/users/assign"
done
"$B/postern-newu" || fail "postern-newu"
chmod 000 "$POSTERN_HOME/mail/closed"
run_instance

rcpt() { python3 "$TESTS/rcpt.py" "$PORT" "$@" | cut -d' ' -f1,2; }
NO='550 5.1.1'; YES='250 2.1.5'
expect_equal "$(rcpt alice@home.example ALICE@home.example nobody-here@home.example postern-selftest@home.example \
  ann@shop.example old@shop.example eve@shop.example eve@closed.example postmaster)" \
"$YES
$YES
$NO
$YES
$YES
$NO
$NO
$YES
$YES"
expect_in <(log_of smtpd) 'To: <eve@shop.example> decided by local-users: it is not in mailboxes.cdb'
if [ "$(id -u)" = 0 ]; then  # alice's home is her own: what extensions she has nobody else knows
  expect_equal "$(rcpt alice-any@home.example)" "$YES"
fi
# A user who is made is there for the next recipient.
sed -i "s|^\.\$|=bob:bob:$OWNER:$GROUP:$POSTERN_HOME/mail/shop:::\n.|" "$POSTERN_HOME/users/assign"
expect_equal "$(rcpt bob@home.example)" "$NO"
"$B/postern-newu"
expect_equal "$(rcpt bob@home.example)" "$YES"
# No bounce is ever made of an unknown user.
mail x | inject s@home.example nobody-here@home.example > "$T/answer" && fail "it was taken: $(cat "$T/answer")"
queue_empty || fail "something is in the queue"

stop_service userq
expect_equal "$(rcpt nobody-here@home.example other-nobody@home.example)" "$YES
$YES"
expect_in <(log_of smtpd) 'Warning: postern-smtpd: unable to ask @userq about a recipient'
