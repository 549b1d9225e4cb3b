#!/bin/bash
# once: the users do not matter to it
# Reports go some at a time, and those whose servers take their time come last: more silent servers than are tried at once keep no other
# report, and get theirs when they answer within the round.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/tls.sh"
. "$TESTS/sts.sh"
make_sts_home
web_host zgood.test
for i in 1 2 3 4 5 6 7; do web_host "slow$i.test"; touch "$T/www/slow$i.test/stall"; done
start_https
DAY=2026-11-20
for host in zgood slow1 slow2 slow3 slow4 slow5 slow6 slow7; do
  echo "_smtp._tls.$host.test TXT \"v=TLSRPTv1; rua=https://$host.test:$HTTPS_PORT/\"" >> "$T/dns"
  printf 'domain=%s.test\thost=mx.x.test\n' "$host" >> "$POSTERN_HOME/db/tlsrpt/$DAY"
done
"$B/postern-tlsrpt" --dns "$T/dns" --day $DAY 2> "$T/log" &
REPORTER=$!
noted() { sees "^$1\$" "$POSTERN_HOME/db/tlsrpt/$DAY.sent"; }
wait_for 50 noted zgood.test
expect_equal "$(cat "$POSTERN_HOME/db/tlsrpt/$DAY.sent")" zgood.test "while the others are silent"
rm "$T/www/"slow*/stall
wait $REPORTER || { cat "$T/log"; fail "exit code $?"; }
expect_equal "$(sort "$POSTERN_HOME/db/tlsrpt/$DAY.sent" | tr '\n' ' ')" "$(printf 'slow%s.test ' 1 2 3 4 5 6 7)zgood.test "
