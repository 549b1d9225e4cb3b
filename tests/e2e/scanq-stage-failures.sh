#!/bin/bash
# A stage that fails in whatever way defers the message (451), or lets it pass where its line says so; half a verdict is none.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/scanq.sh"

fails() {  # WHAT LOGGED, the stage's script on descriptor 0
  stage says
  stages "says $T/says timeout=1"
  scan; expect_equal $? 82 "$1, on-failure=defer: $(cat "$T/log")"
  expect_equal "$(cat "$T/reason")" "Z451 4.7.1 the message could not be scanned; try again later" "reason, $1"
  expect_in "$T/log" "^Warning: postern-scanq: unable to run stage says on MID 4711: $2"
  expect_in "$T/log" '^Info: MID 4711 deferred by says: 451 4.7.1 '
  nothing_kept "$1"
  stages "says $T/says timeout=1 on-failure=pass"
  scan || fail "$1, on-failure=pass: exit code $?"
  expect_in "$T/log" "^Warning: postern-scanq: unable to run stage says on MID 4711: $2"
  cmp <(queued) "$T/message" || fail "$1, on-failure=pass: the message"
}
fails "an unknown verb" 'unknown verb "sparkle"' <<< "printf 'header-add\tX-A\tb\nsparkle\tx\n'"
fails "a missing argument" '"header-add" takes 2 arguments' <<< "printf 'header-add\tX-A\n'"
fails "an argument too many" '"drop" takes 1 arguments' <<< "printf 'drop\ta\tb\n'"
fails "a bad header name" 'header-add: "X A" is no header field' <<< "printf 'header-add\tX A\tb\n'"
fails "a reject that accepts" 'reject: reject takes a reply code' <<< "printf 'reject\t250\tok\n'"
fails "a bad tag" "tag: a tag's name" <<< "printf 'tag\tlower\tx\n'"
fails "a message that was not written" 'it says "message" and wrote none' <<< "echo message"
fails "a broken escape" '' <<< "echo 'drop	a\\x'"
fails "a line without an end" '' <<< "printf 'drop\tcut'"
fails "an empty line" '' <<< "printf 'drop\tx\n\nstop\n'"
fails "exit code 1" 'it ended with code 1' <<< "printf 'drop\tx\n'; exit 1"
fails "exit code 111" 'it deferred' <<< "printf 'drop\tx\n'; exit 111"
fails "a killed stage" '.*killed by signal 9' <<< "printf 'drop\tx\n'; kill -9 \$\$"
fails "a stage that hangs" '.*no end before the deadline' <<< "printf 'drop\tx\n'; sleep 31; exit 0"
pgrep -f "^sleep 31$" > /dev/null && fail "the stage that hung, or its child, is still there"
fails "64 KiB of verdict" '.*printed more than 64 KiB' <<< "yes 'log	x' | head -c 70000"

# A program that is not there, and one that cannot be executed.
for program in "$T/none" "$T/message" "$T"; do
  stages "says $program"
  scan; expect_equal $? 82 "a stage that is $program"
  nothing_kept "a stage that is $program"
done
# Its own children and closed descriptors do no harm: the verdict counts.
stage says <<< 'sleep 3 & exec 0<&- 3<&- 4>&-; printf "header-add\tX-A\tb\n"'
stages "says $T/says timeout=20"
scan || fail "a stage with a child: $?: $(cat "$T/log")"
queued | sed -n 1p | grep -x 'X-A: b' > /dev/null || fail "its verdict"

# A resident that is not there, and a broken control file.
stages "gone @gone timeout=1"
scan; expect_equal $? 82 "a resident that is not there"
nothing_kept "a resident that is not there"
for line in "name" "UPPER $T/says" "a $T/says on-failure=maybe" "a $T/says timeout=0" "a $T/says direction=up"; do
  stages "$line"
  scan; code=$?
  [ $code -gt 40 ] && [ $code != 82 ] || fail "exit code $code with \"$line\""
  expect_in "$T/log" '^Critical: postern-scanq: unable to read the settings: read control/stages: '
  nothing_kept "\"$line\""
done
# A queue that does not take it: its answer is the client's.
stages none
printf '#!/bin/sh\nprintf "D552 5.2.2 full" >&6; exit 82\n' > "$T/full"; chmod +x "$T/full"
scan POSTERN_QUEUE="$T/full"; expect_equal $? 82 "a queue that refuses"
expect_equal "$(cat "$T/reason")" "D552 5.2.2 full" "its reason"
printf '#!/bin/sh\nexit 53\n' > "$T/full"
scan POSTERN_QUEUE="$T/full"; expect_equal $? 53 "a full queue"
# A quarantine that does not: the message is not let through.
stage says <<< "printf 'quarantine\tPolicy\tx\n'"
stages "says $T/says"
scan POSTERN_QUARANTINE_PROGRAM="$T/none"; code=$?
[ $code -gt 40 ] || fail "exit code $code without a quarantine"
nothing_kept "a quarantine that is not there"
exit 0
