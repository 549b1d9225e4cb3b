#!/bin/bash
# A sender that ends with -@[] becomes one of its own for each recipient, as with qmail-send; what fails is told to what it stands for.
# Mail from #@[], the double bounce of another host, is told to nobody.
. "$(dirname "$0")/../lib.sh"
make_own_instance --local home.example --user list
echo shop.example:shop > "$POSTERN_HOME/control/virtualdomains"
start_stubs
start_send
mail one > "$T/message"
MID=71 queue_message keep+@home.example-@[] r1@far.example r2@far.example h@far.example r3@home.example r4@shop.example \
  < "$T/message" 2> /dev/null || fail "queue"
wait_for 30 queue_empty
expect_in "$T/jobs" '^remote far\.example keep\+r1=far\.example@home\.example r1@far\.example'
expect_in "$T/jobs" '^remote far\.example keep\+r2=far\.example@home\.example r2@far\.example'
expect_in "$T/jobs" '^local keep\+r3=home\.example@home\.example r3@home\.example'
expect_in "$T/jobs" '^local keep\+r4=shop\.example@home\.example shop-r4@shop\.example'
expect_equal "$(grep -c . "$T/jobs")" 6 "five jobs and the DSN's"
expect_equal "$("$TESTS/dsn.py" "$(kept)" | paste -sd,)" \
  "to keep+@home.example,envid ,returned headers,h@far.example failed 5.1.1" "the owner's DSN"

rm "$(kept)"
MID=72 queue_message '#@[]' h@far.example < "$T/message" 2> /dev/null || fail "queue"
wait_for 30 queue_empty
expect_equal "$(kept)" "" "told of a double bounce"
expect_in "$T/send.log" '^Info: Triple bounce MID 72 dropped$'
exit 0
