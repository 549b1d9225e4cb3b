#!/bin/bash
# RFC 2920: the replies to a pipelined group of commands leave in one write.
. "$(dirname "$0")/../lib.sh"
need strace
make_home
strace -f -o "$T/trace" true 2>/dev/null || skip "strace may not trace here"
printf 'EHLO a.example\r\nMAIL FROM:<>\r\nRCPT TO:<a@mx.example.org>\r\nRCPT TO:<b@mx.example.org>\r\nRSET\r\nQUIT\r\n' |
  strace -o "$T/trace" -e trace=write "$B/postern-smtpd" > "$T/replies" 2> "$T/log"
expect_equal "$(grep -c '^250' "$T/replies")" 12 "replies"
expect_equal "$(grep -c '^write(1,' "$T/trace")" 2 "writes: the greeting, and the rest"
