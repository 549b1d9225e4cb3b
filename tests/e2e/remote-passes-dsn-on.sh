#!/bin/bash
# RET, ENVID, NOTIFY and ORCPT (RFC 3461) go to a server that offers DSN, and then the report is p: the server tells the sender. To
# another one they do not go, and the report is r. What could break a command is not said.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../remote.sh"
make_remote_home
ok="250 2.0.0 taken"
extras rHDRS eQQ314159 ta@x.test nSUCCESS,FAILURE 'orfc822;Old+2BOne@y.test' tb@x.test nNEVER 'tc+=d@x.test' nDELAY
for dsn in "ehlo=250-x\\n250 DSN" "ehlo=250-x\\n250-PIPELINING\\n250 DSN" "ehlo=250-x\\n250-PIPELINING\\n250-CHUNKING\\n250 dsn"; do
  server "$dsn"
  expect_equal "$(deliver_with_extras a@x.test b@x.test 'c+=d@x.test' plain@x.test)" "p$ok
p$ok
p$ok
r$ok
K$ok" "with DSN"
  expect_equal "$(grep -E '^< (MAIL|RCPT)' "$T/sink")" "< MAIL FROM:<s@y.test> RET=HDRS ENVID=QQ314159
< RCPT TO:<a@x.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;Old+2BOne@y.test
< RCPT TO:<b@x.test> NOTIFY=NEVER ORCPT=rfc822;b@x.test
< RCPT TO:<c+=d@x.test> NOTIFY=DELAY ORCPT=rfc822;c+2B+3Dd@x.test
< RCPT TO:<plain@x.test>" "commands"
done
# Refused recipients are refused, and a message refused is nobody's.
server "$dsn" "rcpt:b@x.test=550 5.1.1 no"
expect_equal "$(deliver_with_extras a@x.test b@x.test | cut -c1 | tr -d '\n')" phK "one refused"
server "$dsn" "bdat=554 5.6.0 no"
expect_equal "$(deliver_with_extras a@x.test b@x.test | cut -c1 | tr -d '\n')" hhD "the message refused"

server
expect_equal "$(deliver_with_extras a@x.test b@x.test)" "r$ok
r$ok
K$ok" "without DSN"
expect_not_in "$T/sink" 'RET=|ENVID=|NOTIFY=|ORCPT='

server "$dsn"
extras "rFULL RSET" "$(printf 'eA\r\nRSET')" ta@x.test "nSUCCESS SIZE=1" "$(printf 'orfc822;a\nRSET')" "tb@x.test" "orfc822;$(head -c 600 /dev/zero | tr '\0' x)"
expect_equal "$(deliver_with_extras a@x.test b@x.test | cut -c1 | tr -d '\n')" rrK "values that cannot be said"
expect_equal "$(grep -cE '^< (MAIL FROM:<s@y.test>|RCPT TO:<.@x.test>)$' "$T/sink")" 3 "commands without them"

# Extras that cannot be read: later, not without them.
printf 'half a record' > "$T/extras"
expect_equal "$(deliver_with_extras a@x.test | head -n 1 | cut -c1-6)" "s4.3.0" "broken extras"
expect_equal "$(POSTERN_EXTRAS=5 deliver a@x.test | head -n 1 | cut -c1-6)" "s4.3.0" "no extras"

# The same as a job of rspawn: descriptor 5 comes with it.
extras eABC ta@x.test nNEVER
echo "postern-dnsq --dns $T/dns" > "$POSTERN_HOME/control/dnsq"
start rspawn "$B/postern-bind" rspawn root "$B/postern-rspawn" --serve --workers 1
wait_for 30 test -S "$POSTERN_HOME/run/rspawn"
: > "$T/sink"
python3 "$TESTS/ask.py" rspawn POSTERN_EXTRAS=5 "0<$T/message" "5<$T/extras" -- x.test s@y.test a@x.test | tr '\0' '|' > "$T/out"
expect_equal "$(cat "$T/out")" "p$W said: $ok|K$W said: $ok|" "a job"
expect_in "$T/sink" '^< MAIL FROM:<s@y.test> ENVID=ABC$'
expect_in "$T/sink" '^< RCPT TO:<a@x.test> NOTIFY=NEVER ORCPT=rfc822;a@x.test$'
