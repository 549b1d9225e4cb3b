#!/bin/bash
# What the queue program learns from its environment; a listener, an icid and RELAYCLIENT set before us are kept.
. "$(dirname "$0")/../lib.sh"
need python3
make_home
mkdir "$POSTERN_HOME/store"
export QMAILQUEUE=$TESTS/data/queue-store.sh
converse() {
  printf 'EHLO client.example\r\nMAIL FROM:<s@client.example>\r\nRCPT TO:<a@mx.example.org>\r\nDATA\r\nSubject: x\r\n.\r\nQUIT\r\n' |
    env "$@" "$B/postern-smtpd" > "$T/replies" 2>> "$T/log"
  mid=$(sed -n 's/^250 2.0.0 ok \([0-9]*\).*/\1/p' "$T/replies")
  [ -n "$mid" ] || { cat "$T/replies" "$T/log"; fail "no message was taken"; }
  seen=$POSTERN_HOME/store/$mid.environment
}

converse TCPREMOTEIP=2001:db8::1 "TCPREMOTEHOST=evil(host)" HARMLESS=1
expect_in "$seen" "^POSTERN_MID=$mid$"
expect_in "$seen" '^POSTERN_ICID=[0-9]+$'
expect_in "$seen" '^POSTERN_HELO=client.example$'
expect_in "$seen" '^POSTERN_LISTENER=smtpd$'
expect_in "$seen" '^TCPREMOTEIP=2001:db8::1$'
expect_not_in "$seen" "^RELAYCLIENT="
# The operator's own variables reach a program that is started, as from qmail-smtpd.
expect_in "$seen" "^HARMLESS=1$"
expect_in "$POSTERN_HOME/store/$mid.message" '^Received: from client.example \(evil\?host\? \[IPv6:2001:db8::1\]\)$'
expect_in "$POSTERN_HOME/store/$mid.message" "^  by mx.example.org with ESMTP id $mid;$"

converse POSTERN_LISTENER=Outbound POSTERN_ICID=77 RELAYCLIENT= POSTERN_MID=5 TCPREMOTEIP=192.0.2.1
expect_in "$seen" '^POSTERN_LISTENER=Outbound$'
expect_in "$seen" '^POSTERN_ICID=77$'
expect_in "$seen" '^RELAYCLIENT=$'
expect_not_in "$seen" '^POSTERN_MID=5$'
expect_in "$T/log" '^Info: New SMTP ICID 77 interface Outbound \(unknown\) address 192.0.2.1 '
expect_in "$T/log" '^Info: ICID 77 RELAY SG RELAYLIST match RELAYCLIENT SBRS None$'
