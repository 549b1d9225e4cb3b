#!/bin/bash
# With and without PIPELINING: each recipient has its own report, in order; what is refused stays apart from what is taken; the
# whole conversation goes out in as few writes as the server allows.
. "$(dirname "$0")/../lib.sh"
make_home
echo 127.0.0.2 > "$POSTERN_HOME/control/notipme"
PORT=$(free_port)
printf 'x.test MX 10 mx.x.test\nmx.x.test A 127.0.0.2\n' > "$T/dns"
echo "$PORT" > "$POSTERN_HOME/control/remoteport"
printf 'Subject: x\n\n.\n..two\nno end' > "$T/message"
SERVER=
# server [WHEN=REPLY]…: in place of the one before
server() {
  [ -n "$SERVER" ] && { kill "$SERVER"; wait "$SERVER" 2>/dev/null; }
  : > "$T/sink"
  rm -f "$T/sink.messages"
  start server "$TESTS/smtp-server.py" 127.0.0.2 "$PORT" "$T/sink" "$@"
  SERVER=$LAST_PID
  wait_for 30 grep -q listening "$T/sink"
}
# deliver RECIPIENT…: letters and texts without the host, one a line
deliver() {
  "$B/postern-remote" --dns "$T/dns" x.test s@y.test "$@" < "$T/message" 2>> "$T/log" | tr '\0' '\n' | sed 's/mx.x.test[^ ]* said: //'
}
old=$(printf 'ehlo=250-sink\n250 SIZE')

for pipelining in "" "$old"; do
  server ${pipelining:+"$pipelining"} "rcpt:bad@x.test=550 5.1.1 unknown" "rcpt:slow@x.test=452 4.2.2 full" "rcpt:many@x.test=552 5.2.2 full"
  expect_equal "$(deliver a@x.test bad@x.test slow@x.test many@x.test 'b c@x.test')" "r250 2.0.0 taken
h550 5.1.1 unknown
s452 4.2.2 full
s552 5.2.2 full
r250 2.0.0 taken
K250 2.0.0 taken" "some recipients"
  expect_equal "$(od -c "$T/sink.messages")" "$(printf 'Subject: x\r\n\r\n..\r\n...two\r\nno end\r\n' | od -c)" "the message"
  expect_in "$T/sink" '^< RCPT TO:<"b c"@x.test>$'
  if [ -z "$pipelining" ]; then
    # EHLO, then MAIL to DATA, then the message, then QUIT.
    expect_equal "$(grep -c '^read [1-9]' "$T/sink")" 4 "writes with PIPELINING"
  fi

  server ${pipelining:+"$pipelining"} "rcpt=550 5.1.1 unknown"
  expect_equal "$(deliver a@x.test b@x.test)" "h550 5.1.1 unknown
h550 5.1.1 unknown
D550 5.1.1 unknown" "no recipient"
  [ -e "$T/sink.messages" ] && expect_equal "$(cat "$T/sink.messages")" "$(printf '\r')" "a message to nobody"

  server ${pipelining:+"$pipelining"} "mail=550 5.7.1 not from you"
  expect_equal "$(deliver a@x.test b@x.test | head -n 2)" "h550 5.7.1 not from you
h550 5.7.1 not from you" "MAIL refused"
  server ${pipelining:+"$pipelining"} "data=451 4.3.0 later" "rcpt:bad@x.test=550 5.1.1 unknown"
  expect_equal "$(deliver a@x.test bad@x.test)" "s451 4.3.0 later
h550 5.1.1 unknown
Z451 4.3.0 later" "DATA refused"
  server ${pipelining:+"$pipelining"} "dot=554 5.6.0 no"
  expect_equal "$(deliver a@x.test)" "h554 5.6.0 no
D554 5.6.0 no" "the message refused"
  server ${pipelining:+"$pipelining"} "dot=CLOSE"
  expect_equal "$(deliver a@x.test | head -n 1 | cut -c1-7)" "s4.4.2 " "no reply to the message"
  server ${pipelining:+"$pipelining"} "rcpt=421 4.3.2 going down|CLOSE"
  expect_equal "$(deliver a@x.test | head -n 1)" "s421 4.3.2 going down" "421"
done

# HELO where EHLO is refused.
server "ehlo=502 5.5.1 no"
expect_equal "$(deliver a@x.test | head -n 1)" "r250 2.0.0 taken" "HELO"
expect_in "$T/sink" '^< HELO mx.example.org$'
expect_in "$T/sink" '^< MAIL FROM:<s@y.test>$'
# The other side's limit; nothing is sent.
server "$(printf 'ehlo=250-sink\n250 SIZE 10')"
expect_equal "$(deliver a@x.test | head -n 1)" "h5.3.4 the message has 32 bytes, and mx.x.test[127.0.0.2]:$PORT takes 10" "SIZE"
expect_not_in "$T/sink" 'MAIL'
# 8-bit bytes to a host without 8BITMIME: they go as they are unless control/eightbitmime forbids it; to one with it.
printf 'Subject: x\n\n\344\n' > "$T/message"
server "$old"
expect_equal "$(POSTERN_BODY=8BITMIME deliver a@x.test | head -n 1)" "r250 2.0.0 taken" "8-bit as it is"
expect_in "$T/sink" '^< MAIL FROM:<s@y.test> SIZE=17$'
printf '\344\r\n' > "$T/8bit"
expect_equal "$(tail -c 3 "$T/sink.messages" | od -c)" "$(od -c < "$T/8bit")" "8-bit bytes"
echo refuse > "$POSTERN_HOME/control/eightbitmime"
expect_equal "$(deliver a@x.test | head -n 1)" "h5.6.3 mx.x.test[127.0.0.2]:$PORT does not take 8BITMIME" "8BITMIME"
echo perhaps > "$POSTERN_HOME/control/eightbitmime"
expect_equal "$(deliver a@x.test)" "" "a policy that is none"
expect_in "$T/log" 'control/eightbitmime: "perhaps" is neither "send" nor "refuse"'
rm "$POSTERN_HOME/control/eightbitmime"
server
expect_equal "$(POSTERN_BODY=8BITMIME deliver a@x.test | head -n 1)" "r250 2.0.0 taken" "8BITMIME"
expect_in "$T/sink" '^< MAIL FROM:<s@y.test> SIZE=17 BODY=8BITMIME$'
# An address that would be a command is not said.
expect_equal "$(deliver "$(printf 'a@x.test>\r\nRSET')" b@x.test | head -n 2)" "h5.1.3 the address cannot be said in SMTP
r250 2.0.0 taken" "an address with a line end"
# A large message through buffers of fixed size.
head -c 30000000 /dev/zero | tr '\0' 'x' | fold -w 998 > "$T/message"
expect_equal "$( (ulimit -v 40000; deliver a@x.test) | head -n 1 | cut -c1-7)" "h5.3.4 " "the default SIZE of the server"
server "ehlo=250 PIPELINING"
expect_equal "$( (ulimit -v 40000; deliver a@x.test) | head -n 1)" "r250 2.0.0 taken" "30 MB"
expect_equal "$(tr -d '\r' < "$T/sink.messages" | cksum)" "$( (cat "$T/message"; echo) | cksum)" "30 MB"
