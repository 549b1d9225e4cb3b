#!/bin/bash
# A script as QMAILQUEUE in a whole instance: what it does not refuse goes on to @scanq through postern-ask, as smtpd's user.
. "$(dirname "$0")/../lib.sh"
need swaks
cat > "$T/my-queue" <<S
#!/bin/sh
sed '/^\$/q' | grep -qi '^Subject:.*lottery' && { printf 'D550 5.7.1 no lotteries here' >&6; exit 82; }
exec $B/postern-ask @scanq
S
chmod 755 "$T/my-queue"
PORT=$(free_port)
"$B/postern-init" "$POSTERN_HOME" --me mx.example.org --listen "127.0.0.1:$PORT" --user alice 2> "$T/init.log" || fail "postern-init"
echo none > "$POSTERN_HOME/control/stages"
echo "$T/my-queue" > "$POSTERN_HOME/service/smtpd/env/QMAILQUEUE"
run_instance

send() { swaks --server 127.0.0.1 --port "$PORT" --from bob@other.example --to alice@mx.example.org --header "Subject: $1" "${@:2}" 2>&1; }
head -c 300000 /dev/urandom | base64 > "$T/large"
send hello --attach "@$T/large" > "$T/taken.log" || fail "a message that the script lets through was refused: $(grep '^<' "$T/taken.log")"
send "the lottery" > "$T/refused.log" && fail "the script's refusal was not heard"
expect_in "$T/refused.log" '^<\*\* 550 5\.7\.1 no lotteries here'
delivered() { [ "$(find "$POSTERN_HOME/mail/alice/Maildir/new" -type f | wc -l)" = "$1" ]; }
wait_for 30 delivered 1
expect_equal "$(cat "$POSTERN_HOME"/mail/alice/Maildir/new/* | grep -c '^Received: ')" 1 "Received fields"

# The same program asks questions: the answer is printed.
if [ "$(id -u)" != 0 ]; then
  printf 'example.org MX 10 mx.example.org.\nmx.example.org A 192.0.2.1\n' > "$T/dns"
  "$B/postern-ask" "$B/postern-dnsq --dns $T/dns" mx example.org > "$T/answer"; expect_equal $? 0 "exit code of a question"
  expect_in "$T/answer" '^host 10 mx.example.org'
fi
"$B/postern-ask" @nobody < /dev/null > "$T/answer" 2>&1; expect_equal $? 111 "exit code when nobody is there"
