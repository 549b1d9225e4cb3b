#!/bin/bash
# The event log has Cisco's line shapes, one mid through a message's lines, and claims a message only after exit 0.
. "$(dirname "$0")/../lib.sh"
need tcpserver python3
make_home
mkdir "$POSTERN_HOME/store"
echo example.org > "$POSTERN_HOME/control/rcpthosts"
export QMAILQUEUE=$TESTS/data/queue-store.sh POSTERN_LISTENER=Inbound
port=$(free_port)
start smtpd tcpserver -RHl0 127.0.0.1 "$port" "$B/postern-smtpd"
wait_for 30 listening "$port"
log=$T/smtpd.log
wait_for 30 grep -q close "$log"  # the connection that asked whether it listens
: > "$log"

cat > "$T/dialogue" <<'D'
S: 220
C: EHLO client.example
S: 250
C: MAIL FROM:<s@client.example>
C: RCPT TO:<a@example.org>
C: RCPT TO:<x@elsewhere.example>
C: RCPT TO:<b@example.org>
C: DATA
S: 250
S: 250
S: 550
S: 250
S: 354
C: Message-ID: <1@client.example>
R: Subject: it's \x1b[31m\xe4 trick\\ with\r\n Info: MID 1 ICID 1 From: <forged@x>\r\n
C:
C: body
C: .
S: 250
C: MAIL FROM:<>
C: RCPT TO:<a@example.org>
C: DATA
S: 250
S: 250
S: 354
C: Subject: bad
C: .
S: 554
C: MAIL FROM:<t@client.example>
C: RCPT TO:<a@example.org>
C: DATA
S: 250
S: 250
S: 354
C: half
close
D
python3 "$TESTS/dialogue.py" 127.0.0.1 "$port" "$T/dialogue" || fail "the dialogue"
wait_for 30 grep -q close "$log"

icid=$(sed -n 's/^Info: New SMTP ICID \([0-9]*\) .*/\1/p' "$log")
mids=($(sed -n 's/^Info: Start MID \([0-9]*\) .*/\1/p' "$log"))
expect_equal ${#mids[@]} 3 "messages started"
cat > "$T/expected" <<L
Info: New SMTP ICID $icid interface Inbound (127.0.0.1) address 127.0.0.1 reverse dns host unknown verified no
Info: ICID $icid ACCEPT SG None match ALL SBRS None
Info: Start MID ${mids[0]} ICID $icid
Info: MID ${mids[0]} ICID $icid From: <s@client.example>
Info: MID ${mids[0]} ICID $icid RID 0 To: <a@example.org>
Info: MID ${mids[0]} ICID $icid To: <x@elsewhere.example> rejected: 550 5.7.1 relaying denied: that domain is not ours
Info: MID ${mids[0]} ICID $icid To: <x@elsewhere.example> decided by recipient-table: elsewhere.example is not in control/rcpthosts
Info: MID ${mids[0]} ICID $icid RID 1 To: <b@example.org>
Info: MID ${mids[0]} Message-ID '<1@client.example>'
Info: MID ${mids[0]} Subject 'it's \\x1b[31m\\xe4 trick\\x5c with Info: MID 1 ICID 1 From: <forged@x>'
Info: MID ${mids[0]} ready $(stat -c %s "$POSTERN_HOME/store/${mids[0]}.message") bytes from <s@client.example>
Info: Start MID ${mids[1]} ICID $icid
Info: MID ${mids[1]} ICID $icid From: <>
Info: MID ${mids[1]} ICID $icid RID 0 To: <a@example.org>
Info: MID ${mids[1]} Subject 'bad'
Info: MID ${mids[1]} ICID $icid rejected: 554 5.7.1 no thanks
Info: Start MID ${mids[2]} ICID $icid
Info: MID ${mids[2]} ICID $icid From: <t@client.example>
Info: MID ${mids[2]} ICID $icid RID 0 To: <a@example.org>
Info: Message aborted MID ${mids[2]} Receiving aborted
Info: ICID $icid close
L
diff "$T/expected" "$log" || fail "the log"
