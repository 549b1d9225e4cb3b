#!/bin/bash
# What can neither be delivered nor returned goes to control/doublebounceto, from a sender that ends it there: when that fails too, forwarded or not, it
# is dropped with a line in the log, and nothing goes round. An empty control/doublebounceto drops it at once.
. "$(dirname "$0")/../lib.sh"
make_own_instance --local home.example --user alice
echo keep.postmaster > "$POSTERN_HOME/control/doublebounceto"
echo home.example > "$POSTERN_HOME/control/doublebouncehost"
start_stubs
start_send
mail one > "$T/message"
# A bounce that cannot be delivered.
MID=4711 queue_message h.sender@far.example h.user@far.example < "$T/message" 2> /dev/null || fail "queue"
wait_for 30 kept_are 1
wait_for 30 queue_empty
in_order "$T/send.log" '^Info: Bounced: 4711:0 ' '^Info: MID [0-9]+ was generated for bounce of MID 4711$' '^Info: Bounced: [0-9]+:0 From:<> To:<h.sender@far.example>' \
  '^Info: MID [0-9]+ was generated for double bounce of MID [0-9]+$'
expect_equal "$("$TESTS/dsn.py" "$(kept)" | paste -sd,)" \
  "to keep.postmaster@home.example,envid ,returned full,h.sender@far.example failed 5.1.1" "the double bounce"
expect_in "$(kept)" '^Subject: Undelivered notification$'
expect_in "$(kept)" '^Final-Recipient: rfc822; h.user@far.example$'

# It fails too: dropped, once.
rm "$(kept)"
: > "$T/send.log"
echo h.postmaster@far.example > "$POSTERN_HOME/control/doublebounceto"
kill -HUP "$SEND_PID"
MID=4712 queue_message "" h.user@far.example < "$T/message" 2> /dev/null || fail "queue"
wait_for 30 grep -q '^Info: Triple bounce MID [0-9]* dropped$' "$T/send.log"
wait_for 30 queue_empty
expect_equal "$(grep -c 'was generated for' "$T/send.log")" 1 "notifications: $(cat "$T/send.log")"
expect_equal "$(grep -c 'Triple bounce' "$T/send.log")" 1 "triple bounces"
expect_equal "$(grep -c '^remote far.example #@\[\] h.postmaster@far.example' "$T/jobs")" 1 "tries to reach the postmaster"

# Dropped at once.
: > "$T/send.log"
for value in '#' ''; do
  printf '%s\n' "$value" > "$POSTERN_HOME/control/doublebounceto"
  kill -HUP "$SEND_PID"
  MID=4713 queue_message "" h.user@far.example < "$T/message" 2> /dev/null || fail "queue"
  wait_for 30 grep -q '^Info: Double bounce MID 4713 dropped$' "$T/send.log"
  wait_for 30 queue_empty
  expect_not_in "$T/send.log" 'was generated for'
  : > "$T/send.log"
done
expect_equal "$(spool_files "" | grep -v /lock)" "" "files at the end"
