#!/bin/bash
# One mid goes through the logs of all programs, in the words of Cisco's mail_logs: accepted, scanned, queued, delivered here and far
# away; refused; held; split; bounced. No foreign byte can forge a line.
. "$(dirname "$0")/../lib.sh"
need python3
make_signatures
SINK=$(free_port)
start_instance --local home.example --user alice --clamdb "$T/clamdb" --route "far.example:127.0.0.2:$SINK"
start_sink "$SINK" "rcpt:nobody@far.example=550-5.1.1 no such user\\n550 5.1.1 Info: MID 1 forged"
sed -i '1i 127.0.0.9:allow' "$POSTERN_HOME/control/tcp.smtp"
(cd "$POSTERN_HOME/control" && tcprules tcp.smtp.cdb tcp.smtp.tmp < tcp.smtp && chmod 644 tcp.smtp.cdb)
mid_of() { sed -n 's/^250 2.0.0 ok \([0-9]*\)$/\1/p' "$T/answer"; }
in_log() { local copy=$T/log.$1; log_of "$1" > "$copy"; in_order "$copy" "${@:2}"; }
ip='[0-9a-f.:]+'

# Inbound, for a local mailbox.
printf 'From: <bob@far.example>\nSubject: one\nMessage-ID: <one@far.example>\n\nhello\n' > "$T/message"
FROM_ADDRESS=127.0.0.9 inject bob@far.example alice@home.example < "$T/message" > "$T/answer" || fail "$(cat "$T/answer")"
m=$(mid_of)
[ -n "$m" ] || fail "no mid in: $(cat "$T/answer")"
wait_for 30 logged send "^Info: Message finished MID $m done$"
icid=$(log_of smtpd | sed -n "s/^Info: Start MID $m ICID \([0-9]*\)$/\1/p")
in_log smtpd "^Info: New SMTP ICID $icid interface smtpd \(127\.0\.0\.1\) address 127\.0\.0\.9 reverse dns host [^ ]+ verified (yes|no)$" \
  "^Info: ICID $icid ACCEPT SG [^ ]+ match [^ ]+ SBRS [^ ]+$" "^Info: Start MID $m ICID $icid$" \
  "^Info: MID $m ICID $icid From: <bob@far\.example>$" "^Info: MID $m ICID $icid RID 0 To: <alice@home\.example>$" \
  "^Info: MID $m (Message-ID '<one@far\.example>'|Subject 'one')$" "^Info: MID $m (Message-ID '<one@far\.example>'|Subject 'one')$" \
  "^Info: MID $m ready [0-9]+ bytes from <bob@far\.example>$" "^Info: ICID $icid close$"
in_log antivirus "^Info: MID $m interim AV verdict using ClamAV CLEAN$" "^Info: MID $m antivirus negative$"
in_log queue "^Info: MID $m queued for delivery$"
in_log lspawn "^Info: MID $m RID \[0\] delivered to mailbox alice: $POSTERN_HOME/mail/alice/Maildir/new/[^ ]+$"
in_log send "^Info: Message finished MID $m done$"

# Outbound, with a failure: two recipients on one connection, a report to the sender.
inject alice@home.example carol@far.example nobody@far.example < "$T/message" > "$T/answer" || fail "$(cat "$T/answer")"
m=$(mid_of)
wait_for 30 logged send "^Info: Message finished MID $m done$"
in_log smtpd "^Info: ICID [0-9]+ RELAY SG [^ ]+ match [^ ]+ SBRS [^ ]+$" "^Info: MID $m ready "
d=$(log_of rspawn | sed -n "s/^Info: Delivery start DCID \([0-9]*\) MID $m to RID \[0, 1\]$/\1/p")
[ -n "$d" ] || fail "no delivery: $(log_of rspawn)"
in_log rspawn "^Info: New SMTP DCID $d interface $ip address 127\.0\.0\.2 port $SINK$" "^Info: Delivery start DCID $d MID $m to RID \[0, 1\]$" \
  "^Info: Message done DCID $d MID $m to RID \[0\]"
wait_for 30 logged rspawn "^Info: DCID $d close$"
in_log send "^Info: Bounced: $m:1 From:<alice@home\.example> To:<nobody@far\.example> Reason: \"5\.1\.1 - Bad destination mailbox address\" Response: \".*no such user" \
  "^Info: MID [0-9]+ was generated for bounce of MID $m$" "^Info: Message finished MID $m done$"
dsn=$(log_of send | sed -n "s/^Info: MID \([0-9]*\) was generated for bounce of MID $m$/\1/p")
wait_for 30 logged lspawn "^Info: MID $dsn RID \[0\] delivered to mailbox alice: "
wait_for 30 logged send "^Info: Message finished MID $dsn done$"

# Held, refused, split.
python3 "$TESTS/mail.py" base64 "$T/eicar.com" > "$T/infected"
FROM_ADDRESS=127.0.0.9 inject bob@far.example alice@home.example < "$T/infected" > "$T/answer" || fail "$(cat "$T/answer")"
m=$(mid_of)
in_log antivirus "^Info: MID $m interim AV verdict using ClamAV VIRAL$" "^Info: MID $m antivirus positive 'Eicar-Test[^']*'$"
in_log quarantine "^Info: MID $m quarantined to \"Virus\" \(.*Eicar.*\)$"
expect_not_in <(log_of queue) "MID $m "
inject alice@home.example bob@far.example < "$T/infected" > "$T/answer"; expect_equal $? 1 "refused: $(cat "$T/answer")"
m=$(log_of smtpd | sed -n 's/^Info: Start MID \([0-9]*\) .*/\1/p' | tail -n 1)
in_log scanq "^Info: MID $m rejected by antivirus: 554 5\.7\.1 "
in_log smtpd "^Info: MID $m ICID [0-9]+ rejected: 554 5\.7\.1 "
inject alice@home.example alice@home.example carol@far.example < "$T/message" > "$T/answer" || fail "$(cat "$T/answer")"
m=$(mid_of)
n=$(log_of scanq | sed -n "s/^Info: MID $m was split creating MID \([0-9]*\) due to direction out$/\1/p")
[ -n "$n" ] || fail "no split: $(log_of scanq)"
for mid in "$m" "$n"; do
  wait_for 30 logged send "^Info: Message finished MID $mid done$"
  in_log queue "^Info: MID $mid queued for delivery$"
done

# Hostile subjects and addresses stay on their line.
printf 'Subject: x\rInfo: MID 1 queued\033[31m\n\tInfo: MID 1 folded\n\nhello\n' | tr '\r' '\v' > "$T/message"
inject '"a b\\\"Info"@far.example' alice@home.example < "$T/message" > "$T/answer" || fail "$(cat "$T/answer")"
for service in smtpd scanq antivirus queue send lspawn rspawn quarantine; do
  log_of $service > "$T/all.$service"
  expect_not_in "$T/all.$service" '^Info: MID 1 '
  grep -vE '^(Info|Warning|Critical): ' "$T/all.$service" && fail "lines of another shape in the log of $service"
  LC_ALL=C grep -n '[^ -~]' "$T/all.$service" && fail "bytes that are not printable in the log of $service"
done
exit 0
