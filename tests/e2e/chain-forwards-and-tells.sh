#!/bin/bash
# Forwards of a .qmail file through the whole chain: @pickup, @scanq, @queue, send and rspawn. One copy each, with Delivered-To; what
# the sender asked to be told (RFC 3461) by the one who knows: delivered for a mailbox, relayed by a single forward's own message,
# expanded for several. A list has a sender for each of its recipients. A loop ends in a bounce; a virus is held.
. "$(dirname "$0")/../lib.sh"
need python3
make_signatures
SINK=$(free_port)
start_instance --local home.example --user alice --user carol --clamdb "$T/clamdb" --route "far.example:127.0.0.2:$SINK"
start_sink "$SINK"

# alice's own files, as her user.
HOME_OF=$POSTERN_HOME/mail/alice
dot() { printf '%s\n' "${@:2}" > "$HOME_OF/.qmail-$1"; chown --reference="$HOME_OF" "$HOME_OF/.qmail-$1"; chmod 644 "$HOME_OF/.qmail-$1"; }
dot one bob@far.example
dot two dan@far.example erin@far.example
dot list fay@far.example gil@far.example
dot list-owner '#'
dot list-owner-default '#'
dot loop alice-loop@home.example

# send_with MESSAGE SENDER RECIPIENT…: with RET, ENVID and NOTIFY, each recipient with its ORCPT.
send_with() {
  python3 - "$PORT" "$@" << 'P' || fail "not taken"
import smtplib, sys
port, message, sender, recipients = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:]
with smtplib.SMTP("127.0.0.1", port, local_hostname="client.example", timeout=30) as client:
    for code, text in [client.ehlo(), client.mail(sender, ["RET=HDRS", "ENVID=id+2B1"])] + [
            client.docmd("RCPT TO:<%s> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;first+2B%s" % (r, r)) for r in recipients] + [
            client.data(open(message, "rb").read().replace(b"\n", b"\r\n"))]:
        if code // 100 != 2:
            sys.exit("%d %r" % (code, text))
P
}
# told: what the DSNs in carol's mailbox say, a line each.
told() { local dsn; for dsn in $(mailbox carol); do "$TESTS/dsn.py" "$dsn" | paste -sd,; done | sort; }
told_are() { [ "$(mailbox carol | wc -l)" = "$1" ]; }
head='to carol@home.example,envid id+1,returned headers'

mail forwarded > "$T/message"
send_with "$T/message" carol@home.example alice-one@home.example alice-two@home.example alice@home.example
wait_for 30 told_are 2
wait_for 30 queue_empty
diff <(told) - << L || fail "what is told"
$head,alice-two@home.example expanded 2.0.0 orcpt=first+alice-two@home.example,alice@home.example delivered 2.0.0 orcpt=first+alice@home.example
$head,bob@far.example relayed 2.0.0 orcpt=first+alice-one@home.example
L
expect_equal "$(mailbox alice | wc -l)" 1 "alice's own copy"
expect_equal "$(sed -n 's/^< RCPT TO:<\([^>]*\)>.*/\1/p' "$T/sink" | sort | paste -sd' ')" "bob@far.example dan@far.example erin@far.example" "one copy each"
expect_equal "$(grep -c '^< MAIL FROM:<carol@home.example>' "$T/sink")" 2 "their sender"
expect_equal "$(tr -d '\r' < "$T/sink.messages" | grep '^Delivered-To: ' | sort | paste -sd,)" \
  "Delivered-To: alice-one@home.example,Delivered-To: alice-two@home.example" "Delivered-To of what went on"
parent=$(log_of pickup | sed -n 's/.* said to be made of MID \([0-9]*\)$/\1/p' | sort -u)
logged send "^Info: Message finished MID $parent done$" || fail "the parent of both: $parent"

# A list: a sender for each, and the author is told that it was delivered to the list (RFC 3461 5.2.7.3).
send_with "$T/message" carol@home.example alice-list@home.example
wait_for 30 told_are 3
wait_for 30 queue_empty
expect_in <(told) "^$(sed 's/+/\\+/' <<< "$head"),alice-list@home\.example delivered 2\.0\.0 orcpt=first\+alice-list@home\.example$"
for name in fay gil; do
  in_order "$T/sink" "^< MAIL FROM:<alice-list-owner-$name=far\.example@home\.example>" "^< RCPT TO:<$name@far\.example>$"
done

# A forward to itself comes back once.
send_with "$T/message" carol@home.example alice-loop@home.example
wait_for 30 told_are 4
wait_for 30 queue_empty
expect_in <(told) ',alice-loop@home\.example failed 5\.4\.6 orcpt=first\+alice-loop@home\.example$'
expect_equal "$(mailbox alice | wc -l)" 1 "nothing of the loop was delivered"

# A virus that is in the queue already is not forwarded but held, and the sender, who may be a forged one, hears nothing of it.
sent=$(grep -c '^< RCPT' "$T/sink")
python3 "$TESTS/mail.py" base64 "$T/eicar.com" > "$T/infected"
queue_message carol@home.example alice-one@home.example < "$T/infected" 2> /dev/null || fail "queue"
wait_for 30 logged quarantine 'quarantined to "Refused"'
wait_for 30 queue_empty
expect_equal "$(mailbox carol | wc -l)" 4 "DSNs at the end"
expect_equal "$(grep -c '^< RCPT' "$T/sink")" "$sent" "what went out"
exit 0
