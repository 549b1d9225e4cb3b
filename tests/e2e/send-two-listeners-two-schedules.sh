#!/bin/bash
# once: the users do not matter to it
# Two listeners name a bounce profile each: the same message through both, refused for now by the same host, is tried as often, and
# after such waits, as its listener's profile says.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/retries.sh"
make_own_instance --local home.example --user alice
echo far.example >> "$POSTERN_HOME/control/rcpthosts"
printf '%s\n' 'quick max_retries=3 initial_retry=1 max_retry_timeout=2' 'slow max_retries=1 initial_retry=3' \
  'DEFAULT initial_retry=3600' > "$POSTERN_HOME/control/bounceprofiles"
start_noting_deliverers
start_send

QMAILQUEUE=$B/postern-queue; export QMAILQUEUE
# through NAME PROFILE RECIPIENT: over a listener with that profile; the message's number in $MID.
through() {
  PORT=$(free_port)
  start "$1" env POSTERN_LISTENER="$1" ${2:+POSTERN_BOUNCE_PROFILE="$2"} "$B/postern-bind" "tcp:127.0.0.1:$PORT" "$B/postern-smtpd" --serve
  wait_for 30 listening "$PORT"
  mail one | inject keep@home.example "$3" > "$T/reply" || fail "$1: $(cat "$T/reply")"
  MID=$(grep -oE '[0-9]{10,}' "$T/reply" | head -n 1)
  [ -n "$MID" ] || fail "no number in $(cat "$T/reply")"
}
through inside quick a@far.example; quick=$MID
through outside slow b@far.example; slow=$MID
through neither "" c@far.example; other=$MID
through lost nowhere d@far.example; lost=$MID

wait_for 30 grep -q "Bounced: $quick:0 " "$T/send.log"
wait_for 30 grep -q "Bounced: $slow:0 " "$T/send.log"
expect_equal "$(tries_of "$quick")" 4 "tries by the listener inside"
expect_equal "$(waits_of "$quick")" "1 1 2" "its waits"
expect_equal "$(tries_of "$slow")" 2 "tries by the listener outside"
expect_equal "$(waits_of "$slow")" 3 "its waits"
expect_in "$T/send.log" "^Info: Bounced: $slow:0 From:<keep@home.example> To:<b@far.example> Reason: \"5\.7\.1 - Delivery not authorised\" Response: \"\('451', \['4\.7\.1 not now \(tried too often\)'\]\)\" Host: mx\.far\.example\[192\.0\.2\.1\]:25$"
wait_for 30 kept_are 2

# No profile, and one that there is not: DEFAULT, which the log says, and nothing is lost.
waits() { "$B/postern-qread" --json --mid "$1" | jq -e '.[0] | select(.tries == 1 and .next_try - .last_try == 3600)'; }
wait_for 30 waits "$other"
wait_for 30 waits "$lost"
expect_in "$T/send.log" "^Warning: postern-send: unable to find the bounce profile \"nowhere\" of MID $lost: control/bounceprofiles has no such line"
expect_equal "$(grep -c 'bounce profile' "$T/send.log")" 1 "warnings"
