#!/bin/bash
# once: the users do not matter to it
# The number of retries and the lifetime end what is deferred, whichever comes first, also over a restart; each recipient of a message
# has its own tries where their destinations have their own profiles; an order to try now counts as a try.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/retries.sh"
make_own_instance --local home.example --user alice
cat > "$POSTERN_HOME/control/bounceprofiles" <<'P'
DEFAULT max_retries=2 initial_retry=1
# Its lifetime ends between the second try and the third.
old     max_retries=100 initial_retry=2 max_queue_lifetime=3
hourly  initial_retry=3600
once    max_retries=0
patient initial_retry=3
rules   soft=550+5.7.26 max_retries=1
P
cat > "$POSTERN_HOME/control/destinations" <<'D'
old.example    bounce_profile=old
hourly.example bounce_profile=hourly
once.example   bounce_profile=once
patient.example bounce_profile=patient
rules.example  bounce_profile=rules
D
start_noting_deliverers
start_send
mail one > "$T/message"

MID=4711 queue_message keep@home.example a@far.example < "$T/message" || fail "queue"
wait_for 30 grep -q 'Bounced: 4711:0 ' "$T/send.log"
expect_equal "$(tries_of 4711)" 3 "tries"
expect_equal "$(waits_of 4711)" "1 1" "waits"
expect_equal "$(grep -c 'Delayed: 4711:0 ' "$T/send.log")" 2 "deferrals"
expect_in "$T/send.log" 'Bounced: 4711:0 .*\(tried too often\)'

# Tries at 0 and 2 seconds; the next would be at 4, and it fails at 3, without one.
MID=4712 queue_message keep@home.example a@old.example < "$T/message" || fail "queue"
wait_for 30 grep -q 'Bounced: 4712:0 ' "$T/send.log"
expect_in "$T/send.log" 'Bounced: 4712:0 .*\(tried for too long\)'
[ "$(tries_of 4712)" -le 2 ] || fail "tries: $(cat "$T/tries")"
expect_equal "$(waits_of 4712 | cut -d' ' -f1)" 2 "the first wait"

# What a host refuses, and the profile calls soft.
MID=4713 queue_message keep@home.example hard@rules.example hard@far.example < "$T/message" || fail "queue"
wait_for 30 grep -q 'Bounced: 4713:0 ' "$T/send.log"
expect_equal "$(tries_of 4713 hard@rules.example)" 2 "tries of what is called soft"
expect_equal "$(tries_of 4713 hard@far.example)" 1 "tries of what is not"
in_order "$T/send.log" "Bounced: 4713:1 .*\('550', \['5\.7\.26 it\\\\'s \\\\\"no\\\\\"'\]" 'Delayed: 4713:0 ' 'Bounced: 4713:0 '

# One message, three schedules. What waits longest is still there when the others have failed. send is killed between two tries: one
# that is cut off is made again.
MID=4714 queue_message keep@home.example a@hourly.example b@patient.example c@once.example < "$T/message" || fail "queue"
noted() { "$B/postern-qread" --json --mid 4714 | jq -e '.[0].recipients | map(.state) == ["pending", "pending", "failed"]'; }
wait_for 30 grep -q 'Delayed: 4714:1 ' "$T/send.log"
wait_for 30 noted
stop_send -KILL
start_send
wait_for 30 grep -q 'Bounced: 4714:1 ' "$T/send.log"
expect_in "$T/send.log" 'Bounced: 4714:2 '
left() { "$B/postern-qread" --json --mid 4714 | jq -e '.[0].recipients | map(.state) == ["pending", "failed", "failed"]'; }
wait_for 30 left
expect_equal "$(tries_of 4714 c@once)" 1 "tries of the one without retries"
expect_equal "$(tries_of 4714 b@patient)" 3 "tries of the one with two"
expect_equal "$(tries_of 4714 a@hourly)" 1 "tries of the one that waits an hour"
turn() { "$B/postern-qread" --json --mid 4714 | jq -c ".[0] as \$m | \$m.recipients[0] | [.tries, .next_try - \$m.received >= 3600, .next_try == \$m.next_try]"; }
expect_equal "$(turn)" "[1,true,true]" "what is noted of it"

# Ordered to be tried now.
"$B/postern-qctl" flush --mid 4714 > "$T/out" || fail "$(cat "$T/out")"
again() { [ "$(turn)" = "[2,true,true]" ]; }
wait_for 30 again
expect_equal "$(tries_of 4714 a@hourly)" 2 "tries after the order"
