#!/bin/bash
# Ports 587 and 465 as postern-init makes them: users come by STARTTLS or with TLS from the first byte, with swaks, smtplib, curl and msmtp;
# without TLS nobody is asked for a password, without a password nobody sends; Received: and the log say how it came.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/tls.sh"
. "$TESTS/auth.sh"
need swaks curl msmtp python3 openssl
SINK=$(free_port) SUBMIT=$(free_port) SMTPS=$(free_port)
make_instance --local home.example --user alice --submission "127.0.0.1:$SUBMIT" --smtps "127.0.0.1:$SMTPS" --route "far.example:127.0.0.2:$SINK"
echo none > "$POSTERN_HOME/control/stages"
start_sink "$SINK"
make_authority
make_certificate mx.example.org 30 mx.example.org
KEY=$POSTERN_HOME/secrets/posternk/mx.example.org.pem
cp "$T/mx.example.org.pem" "$KEY" && chmod 600 "$KEY" && chown --reference="$POSTERN_HOME/secrets/posternk" "$KEY"
add_user alice 'Pencil 1'
run_instance
wait_for 30 listening "$SUBMIT"
wait_for 30 listening "$SMTPS"
offered() { swaks --server "127.0.0.1:$SUBMIT" --quit-after EHLO 2>&1 | sees 250-STARTTLS; }
wait_for 30 offered
arrived() { grep -q "^Subject: $1" "$T/sink.messages"; }

# send PORT SUBJECT OPTIONS…: by swaks, as alice to far.example; the client is one that may relay without a password elsewhere.
send() {
  swaks --server "127.0.0.1:$1" --from alice@home.example --to x@far.example --h-From alice@home.example --h-Subject "$2" --timeout 60 "${@:3}" > "$T/swaks" 2>&1
}
PASSWORD=(--auth-user alice --auth-password 'Pencil 1')
send "$SUBMIT" one --tls --auth PLAIN "${PASSWORD[@]}" || { cat "$T/swaks"; fail "swaks with STARTTLS"; }
send "$SMTPS" two --tls-on-connect --auth LOGIN "${PASSWORD[@]}" || { cat "$T/swaks"; fail "swaks on 465"; }
python3 - "$SUBMIT" "$SMTPS" "$T/ca.crt" << 'P' || fail "smtplib"
import smtplib, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[3])
context.check_hostname = False
message = "From: alice@home.example\r\nSubject: %s\r\n\r\nhello\r\n"
s = smtplib.SMTP("127.0.0.1", int(sys.argv[1]), timeout=60)
s.starttls(context=context)
s.login("alice", "Pencil 1")
s.sendmail("alice@home.example", ["x@far.example"], message % "three")
s.quit()
s = smtplib.SMTP_SSL("127.0.0.1", int(sys.argv[2]), timeout=60, context=context)
s.login("alice", "Pencil 1")
s.sendmail("alice@home.example", ["x@far.example"], message % "four")
s.quit()
P
by_curl() {
  curl -sS --max-time 60 --cacert "$T/ca.crt" --mail-from alice@home.example --mail-rcpt x@far.example --user "$3" --upload-file - "${@:4}" \
    --resolve "mx.example.org:$1:127.0.0.1" "$2://mx.example.org:$1/client.example" > "$T/curl" 2>&1
}
printf 'From: alice@home.example\r\nSubject: five\r\n\r\nhello\r\n' | by_curl "$SUBMIT" smtp 'alice:Pencil 1' --ssl-reqd || { cat "$T/curl"; fail "curl with STARTTLS"; }
printf 'From: alice@home.example\r\nSubject: six\r\n\r\nhello\r\n' | by_curl "$SMTPS" smtps 'alice:Pencil 1' || { cat "$T/curl"; fail "curl on 465"; }
printf 'Subject: never\r\n\r\nhello\r\n' | by_curl "$SUBMIT" smtp 'alice:pencil 1' --ssl-reqd && fail "curl with a wrong password"
by_msmtp() {
  msmtp --host=127.0.0.1 --port="$1" --auth=on --user=alice --passwordeval="echo 'Pencil 1'" --tls=on --tls-starttls="$2" --tls-trust-file="$T/ca.crt" \
    --tls-host-override=mx.example.org --from=alice@home.example x@far.example > "$T/msmtp" 2>&1
}
printf 'From: alice@home.example\nSubject: seven\n\nhello\n' | by_msmtp "$SUBMIT" on || { cat "$T/msmtp"; fail "msmtp with STARTTLS"; }
printf 'From: alice@home.example\nSubject: eight\n\nhello\n' | by_msmtp "$SMTPS" off || { cat "$T/msmtp"; fail "msmtp on 465"; }
for subject in one two three four five six seven eight; do wait_for 30 arrived $subject; done
tr -d '\r' < "$T/sink.messages" | tr '\n' ' ' | grep -oE 'TLSv1\.3 cipher [A-Z0-9_]+ bits [0-9]+\) +by mx\.example\.org with [A-Z]+ ' | sed 's/.* with //' | sort | uniq -c > "$T/how"
expect_equal "$(tr -s ' \n' ' ' < "$T/how")" ' 8 ESMTPSA ' "how they came"
for service in submission smtps; do
  wait_for 30 logged $service 'SMTP Auth: \(ICID [0-9]+\) succeeded for user: alice using AUTH mechanism: PLAIN'
done

# In clear AUTH is neither offered nor taken, and MAIL wants TLS; under TLS, it wants a password, also of a client that relays elsewhere.
swaks --server "127.0.0.1:$SUBMIT" --quit-after EHLO > "$T/swaks" 2>&1
expect_not_in "$T/swaks" AUTH
expect_equal "$(login alice 'Pencil 1')" '538 5.7.11 encryption required: STARTTLS first'
send "$SUBMIT" never && fail "in clear"
expect_in "$T/swaks" '<\*\* 530 5\.7\.0 must issue a STARTTLS'
for tls in "$SUBMIT --tls" "$SMTPS --tls-on-connect"; do
  send "${tls% *}" never "${tls#* }" && fail "without a password"
  expect_in "$T/swaks" '<~\* 530 5\.7\.0 authentication required'
  swaks --server "127.0.0.1:${tls% *}" "${tls#* }" --quit-after EHLO > "$T/swaks" 2>&1
  expect_in "$T/swaks" '250-AUTH SCRAM-SHA-256 PLAIN LOGIN'
done
# As somebody else: not in the envelope, not in the header.
send "$SMTPS" never --tls-on-connect --auth PLAIN "${PASSWORD[@]}" --from bob@home.example && fail "another's envelope"
expect_in "$T/swaks" '<~\* 553 5\.7\.1 user alice may not send as bob@home\.example'
send "$SUBMIT" never --tls --auth PLAIN "${PASSWORD[@]}" --h-From bob@home.example && fail "another's From:"
expect_in "$T/swaks" '<~\* 550 5\.7\.1 user alice may not send as bob@home\.example'

# The instance's own port offers AUTH to nobody.
swaks --server "127.0.0.1:$PORT" --tls --quit-after EHLO > "$T/swaks" 2>&1
expect_not_in "$T/swaks" 250-AUTH
# Where a password may be said in clear, TLS forgets it: whoever has said it may not be whom the handshake was made with.
submission_policy auth=required auth_without_tls=on
PYTHONPATH=$TESTS python3 -B - "$SUBMIT" << 'P' || fail "what was said before TLS"
import base64, sys
from tls_client import Client
c = Client(int(sys.argv[1]))
c.greet()
word = "AUTH PLAIN " + base64.b64encode(b"\0alice\0Pencil 1").decode()
c.expect(word, "235")
c.expect(word, "503")
c.starttls()
c.expect("EHLO client.example", "250")
c.expect("MAIL FROM:<alice@home.example>", "530")
c.expect(word, "235")
c.expect("MAIL FROM:<alice@home.example>", "250")
P
# The user's rates: the third message within a minute, and the second connection at a time.
submission_policy auth=required max_messages_per_minute=2 max_connections_per_user=1
PYTHONPATH=$TESTS python3 -B - "$SMTPS" << 'P' || fail "the rates of users"
import base64, sys
from tls_client import Client
def client():
    c = Client(int(sys.argv[1]))
    c.shake()
    c.greet()
    return c
word = "AUTH PLAIN " + base64.b64encode(b"\0alice\0Pencil 1").decode()
one, two = client(), client()
one.expect(word, "235")
reply = two.say(word)
assert reply == ["421 4.7.0 too many connections of this user"], reply
for _ in range(2):
    one.expect("MAIL FROM:<alice@home.example>", "250")
    one.expect("RSET", "250")
reply = one.say("MAIL FROM:<alice@home.example>")
assert reply == ["452 4.7.1 too many messages of this user within a minute"], reply
P
! grep -q '^Subject: never' "$T/sink.messages" || fail "something was sent that was refused"
exit 0
