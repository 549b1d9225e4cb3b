#!/bin/bash
# once: the users do not matter to it
# R17: with received_header=off in a client's policy the delivered message has one Received: field fewer; with it the field is smtpd's.
. "$(dirname "$0")/../lib.sh"
need python3 tcprules
make_instance --local home.example --user alice
echo none > "$POSTERN_HOME/control/stages"
printf 'SHY ACCEPT received_header=off\nOPEN ACCEPT\n' > "$POSTERN_HOME/control/policies"
printf 'INSIDE: 127.0.0.3 $SHY\nALL: $OPEN\n' > "$POSTERN_HOME/control/hat"
"$B/postern-hat" compile > "$T/compile" 2>&1 || fail "$(cat "$T/compile")"
(cd "$POSTERN_HOME/control" && echo ':allow' > tcp.smtp && tcprules tcp.smtp.cdb tcp.smtp.tmp < tcp.smtp) || fail "tcprules"
run_instance
# fields ADDRESS SUBJECT: how many Received: fields a letter has that comes from there with one.
fields() {
  { printf 'Received: from far.example by near.example; Sun, 22 Nov 2026 10:00:00 +0000\n'; mail "$2"; } |
    FROM_ADDRESS=$1 inject a@other.example alice@home.example > "$T/answer" || fail "$(cat "$T/answer")"
  arrived() { grep -qs "^Subject: $2\$" $(mailbox alice); }
  wait_for 30 arrived "$1" "$2"
  grep -c '^Received:' "$(grep -ls "^Subject: $2\$" $(mailbox alice))"
}
expect_equal "$(fields 127.0.0.3 one)" 1 "without our own"
expect_equal "$(fields 127.0.0.4 two)" 2 "with our own"
exit 0
