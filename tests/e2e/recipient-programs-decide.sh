#!/bin/bash
# once: the users do not matter to it
# control/rcptcheck in both forms: the variables and arguments, 0 yes, 100 no, 111 later, anything else later; a reply of its own;
# and the hook for a directory (@ldapq): 0 yes, 1 no, trouble as ldap_trouble says; bypass in the recipient table.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/recipients.sh"
need tcpserver python3
make_own_instance --local example.org
C=$POSTERN_HOME/control
rm -f "$C/recipientchecks"
make_queue_stub
cat > "$T/check" <<'Q'
#!/bin/sh
case $2 in
  no@*) exit 100 ;;
  never@*) echo '553 5.7.1 not for the likes of you'; exit 100 ;;
  later@*) exit 111 ;;
  odd@*) exit 7 ;;
  vars@*) echo "550 5.1.1 ${SENDER:-none} ${RECIPIENT:-none} $POSTERN_SENDER $POSTERN_RECIPIENT $TCPREMOTEIP $1"; exit 100 ;;
esac
Q
cat > "$T/directory" <<'Q'
#!/bin/sh
[ "$1" = accept ] || exit 111
case $2 in absent@*) exit 1 ;; trouble@*) exit 111 ;; esac
Q
chmod 755 "$T/check" "$T/directory"
start check "$B/postern-serve" --workers 2 run/check "$T/check"
wait_for 30 test -S "$POSTERN_HOME/run/check"
start_smtpd smtpd
rcpt() { python3 "$TESTS/rcpt.py" "$PORT" "$@"; }
for form in "$T/check" @check; do
  echo "$form" > "$C/rcptcheck"
  expect_equal "$(rcpt a@example.org no@example.org never@example.org later@example.org odd@example.org a@elsewhere.example)" \
"250 2.1.5 recipient ok
550 5.1.1 no mailbox here by that name
553 5.7.1 not for the likes of you
451 4.3.0 unable to verify the recipient now, try again later
451 4.3.0 unable to verify the recipient now, try again later
550 5.7.1 relaying denied: that domain is not ours" "$form"
done
expect_equal "$(rcpt vars@example.org)" "550 5.1.1 none none s@client.example vars@example.org 127.0.0.1 s@client.example"
echo "$T/check" > "$C/rcptcheck"
expect_equal "$(rcpt vars@example.org)" "550 5.1.1 s@client.example vars@example.org s@client.example vars@example.org 127.0.0.1 s@client.example"
expect_equal "$(rcpt --sender '' vars@example.org)" "550 5.1.1 none vars@example.org  vars@example.org 127.0.0.1"
echo "$T/nothing-there" > "$C/rcptcheck"
expect_equal "$(rcpt a@example.org | cut -c1-9)" "451 4.3.0"
rm "$C/rcptcheck"

echo 'DEFAULT ldap=on' > "$C/recipientchecks"
: > "$C/ldap"
start directory "$B/postern-serve" --workers 2 run/ldapq "$T/directory"
DIRECTORY=$LAST_PID
wait_for 30 test -S "$POSTERN_HOME/run/ldapq"
codes() { rcpt "$@" | cut -d' ' -f1 | tr '\n' ' '; }
expect_equal "$(codes a@example.org absent@example.org trouble@example.org postmaster)" "250 550 451 250 "
echo 'DEFAULT ldap=on ldap_trouble=accept' > "$C/recipientchecks"
expect_equal "$(codes absent@example.org trouble@example.org)" "550 250 "
printf '%s\n' 'absent@example.org ACCEPT bypass=ldap' 'example.org ACCEPT' > "$C/rat"
"$B/postern-rcpt" compile || fail "compile"
expect_equal "$(codes absent@example.org)" "250 "
rm "$C/rat.cdb" "$C/rat"
kill "$DIRECTORY"
gone() { ! kill -0 "$DIRECTORY" 2> /dev/null; }
wait_for 30 gone
echo 'DEFAULT ldap=on ldap_trouble=refuse' > "$C/recipientchecks"
expect_equal "$(codes a@example.org b@example.org)" "550 550 "
expect_in "$T/smtpd.log" 'unable to ask @ldapq about a recipient'
echo 'DEFAULT ldap=maybe' > "$C/recipientchecks"
expect_equal "$(codes a@example.org 2> /dev/null)" "421 " "a setting that cannot be read"
expect_in "$T/smtpd.log" 'control/recipientchecks line 1: ldap=maybe'
expect_in <("$B/postern-showctl") 'problem: .*control/recipientchecks:1: ldap=maybe'
