#!/bin/bash
# A small message goes with its envelope in one write (BDAT, RFC 3030) where CHUNKING and PIPELINING are offered: lines end with
# CRLF, dots are not doubled. What the server refuses of it is read from the replies; a server that does not know BDAT after all gets DATA;
# one that may have the message, and does not say so, gets it no second time in the same attempt.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../remote.sh"
make_remote_home
ok="250 2.0.0 taken"
ehlo="ehlo=250-x\\n250-PIPELINING\\n250 CHUNKING"
printf 'Subject: x\n\n.\n..two\na\rb\r\nno end' > "$T/message"
server "$ehlo"
expect_equal "$(deliver a@x.test b@x.test)" "r$ok
r$ok
K$ok" "in one chunk"
expect_in "$T/sink" '^< BDAT 38 LAST$'
expect_equal "$(od -c < "$T/sink.messages")" "$(printf 'Subject: x\r\n\r\n.\r\n..two\r\na\r\nb\r\nno end\r\n' | od -c)" "the message"
# EHLO, the message, QUIT.
expect_equal "$(grep -c '^read [1-9]' "$T/sink")" 3 "writes"

: > "$T/empty"
expect_equal "$("$B/postern-remote" --dns "$T/dns" x.test s@y.test a@x.test < "$T/empty" 2>> "$T/log" | cut -c1)" r "an empty message"
expect_in "$T/sink" '^< BDAT 0 LAST$'

# By DATA: a large message; a server without PIPELINING; an operator who wants none.
{ printf 'Subject: x\n\n'; head -c 40000 /dev/zero | tr '\0' 'x' | fold -w 70; } > "$T/large"
by_data() {
  expect_equal "$(deliver a@x.test | head -n 1)" "r$ok" "by DATA: $1"
  expect_not_in "$T/sink" BDAT
}
mv "$T/message" "$T/small"
cp "$T/large" "$T/message"
server "$ehlo"; by_data "large"
cp "$T/small" "$T/message"
server "ehlo=250-x\\n250 CHUNKING"; by_data "no PIPELINING"
echo "ETRN chunking" > "$POSTERN_HOME/control/ehloignore"
server "$ehlo"; by_data "control/ehloignore"
rm "$POSTERN_HOME/control/ehloignore"

# Refusals.
server "$ehlo" "rcpt:b@x.test=550 5.1.1 no" "rcpt:c@x.test=451 4.2.1 later"
expect_equal "$(deliver a@x.test b@x.test c@x.test)" "r$ok
h550 5.1.1 no
s451 4.2.1 later
K$ok" "some recipients"
server "$ehlo" "rcpt=550 5.1.1 no" "bdat=503 5.5.1 no recipients"
expect_equal "$(deliver a@x.test b@x.test)" "h550 5.1.1 no
h550 5.1.1 no
D550 5.1.1 no" "no recipient"
server "$ehlo" "mail=550 5.7.1 not you" "rcpt=503 5.5.1 MAIL first" "bdat=503 5.5.1 MAIL first"
expect_equal "$(deliver a@x.test | head -n 1)" "h550 5.7.1 not you" "MAIL refused"
server "$ehlo" "mail=451 4.7.1 greylisted" "rcpt=503 5.5.1 MAIL first" "bdat=503 5.5.1 MAIL first"
expect_equal "$(deliver a@x.test | head -n 1)" "s451 4.7.1 greylisted" "MAIL refused for now"
for reply in "554 5.6.0 no:h" "452 4.3.1 disk full:s" "421 4.3.2 going:s" "354 what:s"; do
  server "$ehlo" "bdat=${reply%:*}"
  expect_equal "$(deliver a@x.test | head -n 1 | cut -c1-4)" "${reply##*:}${reply%% *}" "BDAT: $reply"
done
server "$ehlo" "rcpt=421 4.3.2 going|CLOSE"
expect_equal "$(deliver a@x.test | head -n 1)" "s421 4.3.2 going" "421 to RCPT"

# Servers whose BDAT does not work: DATA, at once, and only to those who had not been refused.
server "$ehlo" "bdat=500 5.5.1 what?" "rcpt:b@x.test=550 5.1.1 no"
expect_equal "$(deliver a@x.test b@x.test)" "r$ok
h550 5.1.1 no
K$ok" "an unknown command"
expect_equal "$(grep -c '^connect' "$T/sink")" 2 "connections"
expect_equal "$(grep -c '^< RCPT TO:<b@' "$T/sink")" 1 "the one that was refused"
expect_in "$T/sink" '^< DATA$'
server "$ehlo" "mail1=CLOSE"
expect_equal "$(deliver a@x.test | cut -c1-6 | head -n 1)" "s4.4.2" "a server that closes at MAIL whatever comes"
expect_equal "$(grep -c '^connect' "$T/sink")" 1 "connections"
# The replies lost, all or all but the first: neither DATA at once nor the next address.
printf 'x.test MX 10 mx.x.test\nx.test MX 20 mx2.x.test\nmx.x.test A 127.0.0.2\nmx2.x.test A 127.0.0.2\n' > "$T/dns"
for mail in SILENT "250 ok"; do
  server "$ehlo" "mail=$mail" rcpt=SILENT bdat=CLOSE
  expect_equal "$(deliver a@x.test b@x.test | cut -c1-6)" "$(printf 's4.4.2\ns4.4.2\nZ4.4.2')" "lost before RCPT was answered: $mail"
  expect_equal "$(grep -c '^message' "$T/sink")" 1 "copies"
  expect_equal "$(grep -c '^connect' "$T/sink")" 1 "connections"
done
printf 'x.test MX 10 mx.x.test\nmx.x.test A 127.0.0.2\n' > "$T/dns"
# The connection lost behind the chunk: temporary, like behind the final dot.
server "$ehlo" bdat=CLOSE
expect_equal "$(deliver a@x.test | head -n 1)" "s4.4.2 read the reply to the message from $W: the connection was closed" "lost"
expect_equal "$(grep -c '^message' "$T/sink")" 1 "messages"

# Kept connections stay in step: refused, taken, refused, taken.
server "$ehlo" "rcpt:bad@x.test=550 5.1.1 no" "bdat=503 5.5.1 no recipients" "bdat2=$ok" "bdat4=$ok"
echo "postern-dnsq --dns $T/dns" > "$POSTERN_HOME/control/dnsq"
start rspawn "$B/postern-bind" rspawn root "$B/postern-rspawn" --serve --workers 1
wait_for 30 test -S "$POSTERN_HOME/run/rspawn"
bad="x.test s@y.test bad@x.test" good="x.test s@y.test good@x.test"
python3 "$TESTS/job_row.py" rspawn "$T/message" "$bad" "$good" "$bad" "$good" > "$T/out"
expect_equal "$(cut -c3 "$T/out" | tr -d '\n')" hrhr "on one connection"
expect_equal "$(grep -c '^connect' "$T/sink")" 1 "connections"
expect_equal "$(grep -c '^< RSET' "$T/sink")" 2 "transactions that were left open"
