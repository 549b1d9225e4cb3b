#!/bin/bash
# Clients that are not ours: swaks with an attachment and a line of dots, and smtp-source with 100 messages.
. "$(dirname "$0")/../lib.sh"
need tcpserver swaks smtp-source
make_home
mkdir "$POSTERN_HOME/store"
echo example.org > "$POSTERN_HOME/control/rcpthosts"
export QMAILQUEUE=$TESTS/data/queue-store.sh
port=$(free_port)
start smtpd tcpserver -RHl0 -c 20 127.0.0.1 "$port" "$B/postern-smtpd"
wait_for 30 listening "$port"

head -c 200000 /dev/urandom > "$T/noise"
printf 'one\n.\n..\n.two\n' > "$T/body"
swaks -4 --server 127.0.0.1 --port "$port" --helo client.example --from s@client.example --to a@example.org,b@example.org \
  --header 'Subject: from swaks' --body @"$T/body" --attach @"$T/noise" > "$T/swaks" 2>&1 || { cat "$T/swaks"; fail "swaks"; }
set -- "$POSTERN_HOME"/store/*.message
expect_equal $# 1 "messages stored"
grep -A3 -x one "$1" > "$T/got"
diff "$T/body" "$T/got" || fail "the lines with dots"
grep -cE '^[A-Za-z0-9+/=]+$' "$1" > /dev/null || fail "no attachment"
swaks -4 --server 127.0.0.1 --port "$port" --helo client.example --from s@client.example --to a@elsewhere.example > "$T/swaks" 2>&1 &&
  fail "relayed"
expect_in "$T/swaks" '550 5.7.1'

smtp-source -s 5 -m 100 -l 4096 -d -f s@client.example -t a@example.org "127.0.0.1:$port" || fail "smtp-source"
set -- "$POSTERN_HOME"/store/*.message
expect_equal $# 101 "messages stored"
