#!/bin/bash
# What is not a message with an envelope is refused with the code of qmail-queue(8), and leaves nothing behind.
. "$(dirname "$0")/../lib.sh"
make_own_instance
mail one > "$T/message"

refused() {  # CODE WHAT ENVELOPE-AS-PRINTF-FORMAT
  printf -- "$3" > "$T/envelope"
  "$B/postern-queue" < "$T/message" 1< "$T/envelope" 2> "$T/log"
  expect_equal $? "$1" "exit code for $2"
  [ -s "$T/log" ] || fail "nothing said about $2"
  expect_not_in "$T/log" 'queued for delivery'
  expect_equal "$(spool_files "" | grep -v /lock)" "" "files after $2"
}
long=$(printf '%01100d' 0)
refused 91 "an empty envelope" ''
refused 91 "no NUL at all" 'Fa@x'
refused 91 "an envelope cut behind the sender" 'Fa@x\0'
refused 91 "one cut in a recipient" 'Fa@x\0Tb@'
refused 91 "one cut before the last NUL" 'Fa@x\0Tb@y\0'
refused 91 "recipients alone" 'Tb@y\0\0'
refused 91 "an unknown letter" 'Fa@x\0Xb@y\0\0'
refused 91 "two senders" 'Fa@x\0Fb@y\0\0'
refused 91 "bytes behind the end" 'Fa@x\0Tb@y\0\0more'
refused 11 "a long recipient" "Fa@x\0T$long@y\0\0"
refused 11 "a long sender" "F$long@x\0Tb@y\0\0"

"$B/postern-queue" < "$T/message" 1<&- 2> "$T/log"; expect_equal $? 54 "no descriptor 1"
printf 'Fa@x\0Tb@y\0\0' > "$T/envelope"
"$B/postern-queue" <&- 1< "$T/envelope" 2> "$T/log"; expect_equal $? 54 "no descriptor 0"
"$B/postern-queue" < / 1< "$T/envelope" 2> "$T/log"; expect_equal $? 54 "a message that cannot be read"
"$B/postern-queue" < "$T/message" 1>> "$T/envelope" 2> "$T/log"; expect_equal $? 54 "an envelope that cannot be read"
POSTERN_EXTRAS=5 "$B/postern-queue" < "$T/message" 1< "$T/envelope" 5<&- 2> "$T/log"; expect_equal $? 54 "no descriptor 5"
printf 'tb@y\0nNEVER' > "$T/extras"
POSTERN_EXTRAS=5 "$B/postern-queue" < "$T/message" 1< "$T/envelope" 5< "$T/extras" 2> "$T/log"; expect_equal $? 91 "cut extras"
expect_equal "$(spool_files "" | grep -v /lock)" "" "files at the end"

# An envelope over its limit of 8 MiB.
{ printf 'Fa@x\0'; yes 'Trecipient-with-a-long-name@example.org' | head -n 230000 | tr '\n' '\0'; printf '\0'; } > "$T/envelope"
"$B/postern-queue" < "$T/message" 1< "$T/envelope" 2> "$T/log"; expect_equal $? 11 "an envelope of 9 MB"
printf 'Fa@x\0Tb@y\0\0' > "$T/envelope"
expect_equal "$(spool_files "" | grep -v /lock)" "" "files at the end"

# A queue directory that is not there, or not ours to write.
POSTERN_HOME=$T/none "$B/postern-queue" < "$T/message" 1< "$T/envelope" 2> "$T/log"
code=$?
[ $code -ge 61 ] && [ $code -le 66 ] || fail "without a queue directory: exit code $code"
