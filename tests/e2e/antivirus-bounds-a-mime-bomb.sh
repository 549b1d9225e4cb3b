#!/bin/bash
# A megabyte of empty parts is answered with the limit that it is over; as much of empty header fields is nothing special. Both in little memory.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/antivirus.sh"
need python3
make_clamdb
echo limit defer > "$POSTERN_HOME/control/antivirus"
python3 - "$T" <<'P'
import sys
head = "From: a@b\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n"
open(sys.argv[1] + "/parts", "w").write(head + "\n" + "--x\n\n" * 200000)
open(sys.argv[1] + "/fields", "w").write(head + "a:\n" * 1300000 + "\n--x\n\nhello\n--x--\n")
open(sys.argv[1] + "/mail", "w").write(head + "\n--x\n\n" + "a: b\n-- \n" * 5000 + "\n--x--\n")
P
# What it takes at most, in KiB: the program's own figure of a process that has ended.
peak() { python3 -c '
import resource, subprocess, sys
code = subprocess.run([sys.argv[1]], stdin=open(sys.argv[2]), stdout=subprocess.DEVNULL, stderr=open(sys.argv[3], "w")).returncode
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' "$B/postern-antivirus" "$1" "$T/log"; }

read -r code ordinary < <(peak "$T/mail")
expect_equal "$code" 0 "an ordinary mail with many such lines"
read -r code size < <(peak "$T/parts")
expect_equal "$code" 111 "a bomb of parts"
expect_in "$T/log" "unable to scan MID 0: limit: it has more than [0-9]* "
[ "$size" -lt $((ordinary + 60000)) ] || fail "a bomb of parts takes $size KiB, an ordinary mail $ordinary"
read -r code size < <(peak "$T/fields")
expect_equal "$code" 0 "a million fields"
[ "$size" -lt $((ordinary + 60000)) ] || fail "a million fields take $size KiB, an ordinary mail $ordinary"
exit 0
