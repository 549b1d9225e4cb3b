#!/bin/bash
# R03, R04, R05, R06: each access rule on a real connection: the first group counts, CONTINUE is passed over, the words and codes are the policy's, the log names
# group, entry and score; a table that is compiled anew holds for the next connection.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/hat.sh"
make_instance --local home.example --user a --user b --user c
echo none > "$POSTERN_HOME/control/stages"
run_instance
outsiders
cat > "$POSTERN_HOME/control/policies" <<'P'
BLOCKED REJECT reject="554 go away, $RemoteIP"
LATE    REJECT delayed_reject=on
SHORT   ACCEPT banner="220 hello there" banner_host=front.example max_recipients_per_message=2 max_message_size=2K
        max_messages_per_connection=1 message_limit="450 4.7.9 enough for now"
BUSY    REJECT reject="421 4.3.2 later"
P
hat() { { cat; echo "ALL: ACCEPT"; } > "$POSTERN_HOME/control/hat"; compile_hat; }
hat <<'H'
PARTNERS: 127.0.0.2 127.0.0.3 CONTINUE
BLACKLIST:
  127.0.0.2  (the one who floods us)
  $BLOCKED
LATER: 127.0.0.4-5 $LATE
127.0.0.6 TCPREFUSE
127.0.0.7/32 RELAY
SMALL: 127.0.0.8 $SHORT
SECOND: 127.0.0.2, 127.0.0.8 ACCEPT
BUSY: 127.0.0.10 $BUSY
H
log() { log_of smtpd; }

# REJECT: the words of the policy, then the end.
talk 127.0.0.2 'EHLO c' > "$T/talk"
expect_equal "$(cat "$T/talk")" '554 5.7.1 go away, 127.0.0.2
closed' "REJECT"
wait_for 30 logged smtpd 'ICID [0-9]+ REJECT SG BLACKLIST match 127\.0\.0\.2 SBRS None'
expect_equal "$(talk 127.0.0.10 'EHLO c' | head -n 1)" '421 4.3.2 later' "a temporary refusal"

# CONTINUE leads on to the end.
expect_equal "$(talk 127.0.0.3 'EHLO c' 'MAIL FROM:<a@b.example>' 'RCPT TO:<x@elsewhere.example>' | cut -c1-3 | tr '\n' ' ')" '220 250 250 550 '
wait_for 30 logged smtpd 'ICID [0-9]+ ACCEPT SG None match ALL SBRS None'

# TCPREFUSE: not a word.
expect_equal "$(talk 127.0.0.6 'EHLO c')" reset "TCPREFUSE"
wait_for 30 logged smtpd 'ICID [0-9]+ TCPREFUSE SG None match 127\.0\.0\.6 SBRS None'

# RELAY: any recipient.
expect_equal "$(talk 127.0.0.7 'EHLO c' 'MAIL FROM:<a@b.example>' 'RCPT TO:<x@elsewhere.example>' | cut -c1-3 | tr '\n' ' ')" '220 250 250 250 '
wait_for 30 logged smtpd 'ICID [0-9]+ RELAY SG None match 127\.0\.0\.7/32 SBRS None'
wait_for 30 logged smtpd 'ICID [0-9]+ RELAY SG RELAYLIST match RELAYCLIENT SBRS None'

# Delayed: every recipient is refused, and the log has who it was to be.
talk 127.0.0.5 'EHLO c' 'MAIL FROM:<spy@b.example>' 'RCPT TO:<postmaster@home.example>' 'DATA' 'RSET' 'RCPT TO:<y@home.example>' > "$T/talk"
expect_equal "$(cut -c1-9 "$T/talk" | sed 's/^\(220\).*/\1/; s/^250 ENH.*/250/' | tr '\n' '|')" '220|250 SIZE |250 2.1.0|554 5.7.1|503 5.5.1|250 2.0.0|503 5.5.1|' "delayed rejection"
icid=$(log | sed -n 's/.*ICID \([0-9]*\) REJECT SG LATER match 127.0.0.4-5 .*/\1/p')
wait_for 30 logged smtpd "ICID $icid Delayed HAT REJECT continuing session for recipient logging \(127\.0\.0\.5\)"
wait_for 30 logged smtpd "ICID $icid Delayed HAT REJECT Message from: <spy@b\.example> \(127\.0\.0\.5\)"
wait_for 30 logged smtpd "ICID $icid Delayed HAT REJECT Message recipient: <postmaster@home\.example> \(127\.0\.0\.5\)"
logged smtpd "Start MID [0-9]+ ICID $icid" && fail "a refused client got a message's number"

# A policy's banner and limits.
expect_equal "$(talk 127.0.0.8 'EHLO c' 'MAIL FROM:<a@b.example> SIZE=3000' 'MAIL FROM:<a@b.example>' 'RCPT TO:<a@home.example>' 'RCPT TO:<b@home.example>' 'RCPT TO:<c@home.example>' \
  'DATA' $'Subject: x\r\n\r\nx\r\n.' 'MAIL FROM:<a@b.example>' | sed 's/ok [0-9]*$/ok/')" '220 front.example hello there
250 SIZE 2048
552 5.3.4 the message is too large
250 2.1.0 sender ok
250 2.1.5 recipient ok
250 2.1.5 recipient ok
452 4.5.3 too many recipients, send the rest separately
354 go ahead, end with a line that holds a single dot
250 2.0.0 ok
450 4.7.9 enough for now' "limits of a policy"

# tcprules' environment wins.
outsiders '127.0.0.2:allow,RELAYCLIENT=""' '127.0.0.3:allow,POSTERN_POLICY="SHORT"' '127.0.0.8:allow,DATABYTES="5000"' '127.0.0.11:allow,POSTERN_POLICY="NONE"'
expect_equal "$(talk 127.0.0.2 'EHLO c' 'MAIL FROM:<a@b.example>' 'RCPT TO:<x@elsewhere.example>' | tail -n 1)" '250 2.1.5 recipient ok' "RELAYCLIENT"
expect_equal "$(talk 127.0.0.3 | head -n 1)" '220 front.example hello there' "POSTERN_POLICY"
expect_equal "$(talk 127.0.0.8 'EHLO c' | tail -n 1)" '250 SIZE 5000' "DATABYTES"
expect_equal "$(talk 127.0.0.11 | head -n 1)" '421 4.3.5 unable to read the configuration, closing' "a policy that is not there"

"$B/postern-hat" test 127.0.0.2 > "$T/test"
expect_in "$T/test" '^group: BLACKLIST$'
expect_in "$T/test" '^entry: 127\.0\.0\.2 \(control/hat:3\)$'
expect_in "$T/test" '^policy: BLOCKED \(control/policies:1\)$'
expect_in "$T/test" '^rule: REJECT$'
expect_in "$T/test" '^note: control/tcp.smtp.cdb sets RELAYCLIENT= for this address, and that wins over the table: it relays, with the policy RELAYED$'

# A line removed and compiled: it holds for the next connection. A bad line: it names itself, and the running table stays.
outsiders
hat <<< '127.0.0.9 REJECT'
expect_equal "$(talk 127.0.0.2 | cut -c1-3)" 220 "after the line went"
expect_equal "$(talk 127.0.0.9 | cut -c1-3 | head -n 1)" 554 "the new line"
before=$(md5sum < "$POSTERN_HOME/control/hat.bin")
printf 'A: 10.1.1.1\n 10.0.0.0/40 REJECT\nALL: ACCEPT\n' > "$POSTERN_HOME/control/hat"
"$B/postern-hat" compile 2> "$T/problem"
expect_equal $? 100 "exit code for a bad line"
expect_in "$T/problem" 'control/hat:2: "10\.0\.0\.0/40" is no address, range or network; write '
expect_equal "$(md5sum < "$POSTERN_HOME/control/hat.bin")" "$before" "the running table"
expect_equal "$(talk 127.0.0.9 | cut -c1-3 | head -n 1)" 554 "the running table"
"$B/postern-showctl" > "$T/showctl"
expect_in "$T/showctl" '^problem: .*control/hat:2: '

# A listener's table that was removed holds until the next compile, and not for longer.
printf 'ALL: ACCEPT\n' > "$POSTERN_HOME/control/hat"
printf 'ALL: RELAY\n' > "$POSTERN_HOME/control/hat.smtpd"
compile_hat
relays() { talk 127.0.0.9 'EHLO c' 'MAIL FROM:<a@b.example>' 'RCPT TO:<x@elsewhere.example>' | tail -n 1 | cut -c1-3; }
expect_equal "$(relays)" 250 "the listener's own table"
rm "$POSTERN_HOME/control/hat.smtpd"
"$B/postern-showctl" > "$T/showctl"
expect_in "$T/showctl" '^problem: .*control/hat\.smtpd\.bin: it counts, and its text '
compile_hat
[ ! -e "$POSTERN_HOME/control/hat.smtpd.bin" ] || fail "a compiled table outlives its text"
expect_equal "$(relays)" 550 "after the listener's table was removed"

# A table that nobody compiled, or a broken one, lets nobody in.
printf 'ALL: ACCEPT\n' > "$POSTERN_HOME/control/hat"
echo nonsense > "$POSTERN_HOME/control/hat.bin"
expect_equal "$(talk 127.0.0.9 | cut -c1-9 | head -n 1)" '421 4.3.5' "a broken table"
rm "$POSTERN_HOME/control/hat.bin"
expect_equal "$(talk 127.0.0.9 | cut -c1-9 | head -n 1)" '421 4.3.5' "no compiled table"
wait_for 30 logged smtpd 'control/hat is not compiled; run postern-hat compile'
rm "$POSTERN_HOME/control/hat"
expect_equal "$(talk 127.0.0.9 | cut -c1-3)" 220 "no table at all"
