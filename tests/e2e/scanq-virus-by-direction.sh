#!/bin/bash
# A virus from outside is held; a local or outgoing one is refused with 554 5.7.1 and stands in no queue and no quarantine. Without
# the scanner nothing is taken, and nothing is lost or let through. Row W15.
. "$(dirname "$0")/../lib.sh"
need python3
make_signatures
SINK=$(free_port)
start_instance --local home.example --user alice --user carol --clamdb "$T/clamdb" --route "far.example:127.0.0.2:$SINK"
start_sink "$SINK"
# 127.0.0.9 plays a host of the Internet, 127.0.0.1 may relay.
sed -i '1i 127.0.0.9:allow' "$POSTERN_HOME/control/tcp.smtp"
(cd "$POSTERN_HOME/control" && tcprules tcp.smtp.cdb tcp.smtp.tmp < tcp.smtp && chmod 644 tcp.smtp.cdb)
python3 "$TESTS/mail.py" base64 "$T/eicar.com" > "$T/infected"
held() { "$B/postern-quarantine" list; }
nothing_anywhere() {
  expect_equal "$(find "$POSTERN_HOME/queue" "$POSTERN_HOME/work" "$POSTERN_HOME/quarantine" -type f ! -name lock ! -name limits ! -name leases ! -name 'sites*')" "$2" "files after $1"
  expect_equal "$(mailbox alice)" "$3" "mailbox after $1"
  expect_equal "$(cat "$T/sink.messages")" "" "sink after $1"
}
nothing_anywhere "the start" "" ""

inject carol@home.example alice@home.example < "$T/infected" > "$T/answer"; expect_equal $? 1 "local: $(cat "$T/answer")"
expect_in "$T/answer" '^554 5\.7\.1 .*Eicar'
nothing_anywhere "local to local" "" ""
expect_equal "$(log_of queue | grep -c queued)" 0 "messages that were queued"
inject alice@home.example bob@far.example < "$T/infected" > "$T/answer"; expect_equal $? 1 "outbound: $(cat "$T/answer")"
expect_in "$T/answer" '^554 5\.7\.1 '
inject alice@home.example carol@home.example bob@far.example < "$T/infected" > "$T/answer"; expect_equal $? 1 "mixed: $(cat "$T/answer")"
nothing_anywhere "local to local and out" "" ""
expect_equal "$(log_of antivirus | grep -c "antivirus positive 'Eicar-Test")" 4 "findings"

FROM_ADDRESS=127.0.0.9 inject bob@far.example alice@home.example < "$T/infected" > "$T/answer" || fail "inbound: $(cat "$T/answer")"
expect_in <(held) $'^[0-9]+\tVirus\t'
expect_equal "$(held | wc -l)" 1 "held"
entry=$(find "$POSTERN_HOME/quarantine" -type f)
nothing_anywhere "an inbound one" "$entry" ""

# The scanner is down: 451 for everybody, clean or not; then it is back, and the retry is taken.
stop_service antivirus
mail clean > "$T/clean"
for from in 127.0.0.1 127.0.0.9; do
  for file in clean infected; do
    FROM_ADDRESS=$from inject x@far.example alice@home.example < "$T/$file" > "$T/answer.$from.$file" &
  done
done
wait $(jobs -p | grep -v -e "$SVSCAN" -e "$SINK_PID")
for answer in "$T"/answer.*; do expect_in "$answer" '^451 4\.7\.1 '; done
nothing_anywhere "the scanner is down" "$entry" ""
start_service antivirus
again() { FROM_ADDRESS=127.0.0.9 inject bob@far.example alice@home.example < "$T/clean"; }
wait_for 30 again
delivered() { [ -n "$(mailbox alice)" ]; }
wait_for 30 delivered
expect_equal "$(mailbox alice | wc -l)" 1 "delivered once"
expect_equal "$(held | wc -l)" 1 "held at the end"
