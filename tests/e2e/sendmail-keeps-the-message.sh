#!/bin/bash
# What a user writes arrives as it is: dots with and without -i, 8-bit, NUL, a line of a megabyte, line ends of all kinds, a huge
# header; over a limit it is refused as a whole.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/inject.sh"
start_pickup
body() { sed '1,/^$/d' "$(kept message)"; }
send() { me "$B/postern-sendmail" "$@" > "$T/out" 2>&1; }

printf 'Subject: x\n\none\n.two\n..\n.\nthree\n' > "$T/dots"
send alice < "$T/dots" || fail "without -i: $(cat "$T/out")"
expect_equal "$(body | tr '\n' '|')" "one|.two|..|" "without -i"
forget
for option in -i -oi; do
  send $option alice < "$T/dots" || fail "$option: $(cat "$T/out")"
  expect_equal "$(body | tr '\n' '|')" "one|.two|..|.|three|" "with $option"
  forget
done
# A writer that stays behind the dot is not waited for.
mkfifo "$T/pipe"
exec 8<> "$T/pipe"
cat "$T/dots" >&8
timeout 20 "${BECOME[@]}" env POSTERN_HOME="$POSTERN_HOME" USER=carl "$B/postern-sendmail" alice < "$T/pipe" || fail "the dot does not end it: $?"
exec 8>&-
forget

# Every byte, a line of a megabyte, and no line end at the end.
python3 - "$T/bytes" <<'P'
import sys
rest = b"".join(bytes([b]) for b in range(256) if b not in (10, 13)) + b"\n" + b"x" * (1 << 20) + b"\n\n\nend"
open(sys.argv[1], "wb").write(rest)
P
{ printf 'Subject: x\n\n'; cat "$T/bytes"; } | send -i alice || fail "bytes: $(cat "$T/out")"
body | cmp - "$T/bytes" || fail "the body has changed"
forget
# Without a header, without a body, without anything.
printf 'just text\n' | send -i alice || fail "no header"
expect_equal "$(body)" "just text" "no header"
expect_in "$(kept message)" '^To: undisclosed-recipients:;$'
forget
send -i alice < /dev/null || fail "nothing: $(cat "$T/out")"
forget

# 4 MiB of header with 40000 recipients; more header than there may be; more message than databytes; too many recipients.
python3 -c 'print("Subject: x\nTo: " + ",\n ".join("%080d@far.example" % i for i in range(40000)) + "\n")' > "$T/many"
send -t < "$T/many"; expect_equal $? 65 "more than maxrcpt: $(cat "$T/out")"
expect_in "$T/out" '554 5\.5\.3 more than 1000 recipients'
echo 50000 > "$POSTERN_HOME/control/maxrcpt"
kill -HUP "$PICKUP"
many() { send -t < "$T/many"; }
wait_for 30 many
expect_equal "$(tr -cd '\0' < "$(kept envelope)" | wc -c)" 40002 "recipients"
forget
python3 -c 'print("Subject: x\n" + "X-Field: %s\n" % ("y" * 900) * 10000)' | send -i alice; expect_equal $? 65 "header: $(cat "$T/out")"
expect_in "$T/out" '554 5\.3\.4 .*8 MiB'
echo 1000 > "$POSTERN_HOME/control/databytes"
{ printf 'Subject: x\n\n'; cat "$T/bytes"; } | send -i alice; expect_equal $? 65 "databytes: $(cat "$T/out")"
expect_in "$T/out" 'control/databytes'
python3 -c 'print("Subject: x\nTo: " + ",\n ".join("%d@far.example" % i for i in range(50001)) + "\n")' | send -t; expect_equal $? 65 "recipients: $(cat "$T/out")"
printf 'Subject: x\n\nx\n' | send; expect_equal $? 64 "no recipient"
printf 'To: (open\n\nx\n' | send -t; expect_equal $? 65 "no list"
number_kept 0
exit 0
