#!/bin/bash
# postern-bounce by itself: the headers or the whole message come back, nobody is told of a null reverse-path's failure, and a
# request or a queue that is broken is temporary.
. "$(dirname "$0")/../lib.sh"
make_own_instance
mail one > "$T/message"
bounce() {  # REQUEST-AS-PRINTF-FORMAT [VAR=VALUE]…
  printf -- "$1" > "$T/request"; shift
  find "$POSTERN_HOME/queue/new" -type f -delete
  env "$@" "$B/postern-bounce" < "$T/message" 3< "$T/request" 2> "$T/log"
}
bounce 'm4711\0sa@x.example\0eID+3D1\0a1700000000\0h\0rb@y.example\0orfc822;b@y.example\0dmx.y.example[192.0.2.1] said: 550 5.1.1 no\0' || fail "exit $?: $(cat "$T/log")"
file=$(spool_files new)
expect_in "$file" '^Original-Envelope-Id: ID=1$'
expect_in "$file" '^Original-Recipient: rfc822; b@y.example$'
expect_in "$file" '^Remote-MTA: dns; mx.y.example$'
expect_in "$file" '^Diagnostic-Code: smtp; 550 5.1.1 no$'
expect_not_in "$file" '^hello$'
expect_in <("$B/postern-qread") $'\t<>\tP <a@x.example>$'
bounce 'm4711\0sa@x.example\0e\0a1700000000\0f\0rb@y.example\0o\0dfailed\0' || fail "whole message: exit $?: $(cat "$T/log")"
expect_in "$(spool_files new)" '^hello$'
expect_in "$(spool_files new)" '^Status: 5\.0\.0$'
# What the other side said cannot add fields or lines.
bounce 'm4711\0sa@x.example\0e\0a1700000000\0h\0rb@y.example\0o\0dmx said: 550 5.1.1 no\r\nAction: delivered\n\nX: y\0' || fail "a forged reply"
expect_not_in "$(spool_files new)" '^(Action: delivered|X: y)'
bounce 'm4711\0s\0e\0a1\0h\0rb@y.example\0o\0dno\0'; expect_equal $? 100 "null reverse-path"
expect_equal "$(spool_files new)" "" "files after a null reverse-path"
for request in '' 'm4711\0' 'm4711\0sa@x\0' 'm4711\0sa@x\0rb@y' 'zzz\0' 'm0\0sa@x\0rb@y\0' 'orfc822;x\0'; do
  bounce "$request"; expect_equal $? 111 "request '$request'"
  expect_equal "$(spool_files new)$(spool_files tmp)" "" "files after '$request'"
done
printf '#!/bin/sh\nexit 31\n' > "$T/no"; chmod +x "$T/no"
bounce 'm4711\0sa@x.example\0e\0a1\0h\0rb@y.example\0o\0dno\0' POSTERN_QUEUE="$T/no"; expect_equal $? 111 "a queue that refuses"
exit 0
