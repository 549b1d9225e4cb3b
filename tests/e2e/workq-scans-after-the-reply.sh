#!/bin/bash
# control/scanning deferred: mail from outside is answered before it is scanned, and scanned from work/ with all that the stages know
# about it; what is refused then is held in Refused and nobody is told; mail of relay clients is scanned in the conversation.
. "$(dirname "$0")/../lib.sh"
make_instance --local home.example --user alice
echo deferred > "$POSTERN_HOME/control/scanning"
echo 1 > "$POSTERN_HOME/control/retryfirst"
echo '127.0.0.1:allow' > "$POSTERN_HOME/control/tcp.smtp"
(cd "$POSTERN_HOME/control" && tcprules tcp.smtp.cdb tcp.smtp.tmp < tcp.smtp)
mkdir -m 777 "$T/seen"
cat > "$T/stage" <<X
#!/bin/sh
message=\$(cat)
env | grep -E '^(POSTERN_|TCP)' > "$T/seen/\$POSTERN_MID"
while [ -e "$T/closed" ]; do sleep 0.05; done
case \$message in
  *'Subject: refuse'*) printf 'reject\t550\t5.7.1 not this\n' ;;
  *'Subject: later'*) [ -e "$T/open" ] || printf 'defer\t4.7.1 not yet\n' ;;
esac
X
chmod 755 "$T/stage"
echo "look $T/stage" > "$POSTERN_HOME/control/stages"
run_instance

# The reply does not wait for the stage.
touch "$T/closed"
mail one | inject a@far.example alice@home.example > "$T/answer" || fail "$(cat "$T/answer")"
mid=$(cut -d' ' -f4 "$T/answer")
expect_equal "$(mailbox alice)" "" "mail before the scan"
[ -n "$(find "$POSTERN_HOME/work" -name "$mid")" ] || fail "MID $mid is not in work/"
rm "$T/closed"
arrived() { [ "$(mailbox alice | wc -l)" = "$1" ]; }
wait_for 30 arrived 1
expect_equal "$(find "$POSTERN_HOME/work" -type f ! -name lock)" "" "files in work/"
# One mid from end to end, and the connection's variables reach the stage.
expect_in "$(mailbox alice)" "id $mid"
for line in "POSTERN_MID=$mid" 'POSTERN_DIRECTION=in' 'TCPREMOTEIP=127\.0\.0\.1' 'POSTERN_HELO=client\.example' 'POSTERN_ICID=[0-9]+' \
  'TCPLOCALPORT=[0-9]+' 'POSTERN_LISTENER=smtpd' 'POSTERN_DEFERRED=1'; do
  expect_in "$T/seen/$mid" "^$line\$"
done
# A verdict after the reply is no bounce.
mail refuse | inject a@far.example alice@home.example > "$T/answer" || fail "$(cat "$T/answer")"
mid=$(cut -d' ' -f4 "$T/answer")
held() { find "$POSTERN_HOME/quarantine/messages" -name "$1" | sees .; }
wait_for 30 held "$mid"
reason() { "$B/postern-quarantine" list | awk -F '\t' -v mid="$mid" '$1 == mid { print $8 }'; }
is_told() { [ "$(reason)" = 'look: 550 5.7.1 not this' ]; }
wait_for 30 is_told
# What is deferred is tried again.
mail later | inject a@far.example alice@home.example > "$T/answer" || fail "$(cat "$T/answer")"
mid=$(cut -d' ' -f4 "$T/answer")
wait_for 30 logged workq "MID $mid stays in the work queue: 451 4.7.1 not yet"
[ -s "$(find "$POSTERN_HOME/work/defer" -name "$mid")" ] || fail "no note of the attempt"
touch "$T/open"
wait_for 30 arrived 2
expect_equal "$(find "$POSTERN_HOME/work" -type f ! -name lock)" "" "files in work/"
# A relay client's is refused while it waits.
echo '127.0.0.1:allow,RELAYCLIENT=""' > "$POSTERN_HOME/control/tcp.smtp"
(cd "$POSTERN_HOME/control" && tcprules tcp.smtp.cdb tcp.smtp.tmp < tcp.smtp)
mail refuse | inject bob@home.example alice@home.example > "$T/answer"
expect_equal $? 1 "exit code for a relay client"
expect_in "$T/answer" '^550 5\.7\.1 not this'
expect_not_in <(log_of send) 'Bounced|generated for bounce'
arrived 2 || fail "messages: $(mailbox alice)"
