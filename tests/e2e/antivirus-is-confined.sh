#!/bin/bash
# The workers that read messages are confined before the first one comes, can still unpack what libclamav needs files for, and leave
# nothing behind. (What is refused to them is tried call by call in tests/unit/antivirus_confine_test.cc.)
. "$(dirname "$0")/../lib.sh"
. "$TESTS/antivirus.sh"
need python3 strace
make_clamdb
export TMPDIR=$T
start av "$B/postern-bind" antivirus "$(id -un)" "$B/postern-antivirus" --serve --workers 2
resident=$LAST_PID
workers() { pgrep -P $resident; }
two() { [ "$(workers | wc -l)" = 2 ]; }
wait_for 30 two
confined() { grep -q '^Seccomp:[[:space:]]*2$' "/proc/$1/status" && grep -q '^NoNewPrivs:[[:space:]]*1$' "/proc/$1/status"; }
for worker in $(workers); do wait_for 30 confined "$worker"; done
confined $resident && fail "the parent, which reads signatures, is confined too"

# Every one of ClamAV's test files: none needs what is refused.
for file in /usr/share/clamav-testfiles/clam*; do
  [ -f "$file" ] || skip "clamav-testfiles is not installed"
  python3 "$TESTS/ask.py" antivirus "0<$file" -- file > "$T/out"
  expect_equal "$(cut -d. -f1 "$T/out")" "infected ClamAV-Test-File" "$file"
done

# By hand: files outside of the scratch directory are opened before the message is read, and none after.
python3 "$TESTS/mail.py" base64 /usr/share/clamav-testfiles/clam.zip > "$T/mail"
strace -f -e trace=openat,open,socket,connect,execve,seccomp,clone,fork -o "$T/calls" "$B/postern-antivirus" < "$T/mail" > "$T/out" 2>&1 ||
  fail "by hand: $(cat "$T/out")"
sed '1,/seccomp(SECCOMP_SET_MODE_FILTER\|seccomp(0x1\|seccomp(/d' "$T/calls" | grep -v "$T/postern-antivirus\." | grep -v 'exited' > "$T/after"
grep -q 'seccomp' "$T/calls" || fail "no filter was loaded"
expect_not_in "$T/after" 'open|socket|connect|execve|clone'
ls -d "$T"/postern-antivirus.[0-9]* 2> /dev/null | while read -r left; do
  pid=${left#"$T"/postern-antivirus.}
  kill -0 "${pid%%.*}" 2> /dev/null || echo "$left"
done > "$T/left"
[ ! -s "$T/left" ] || fail "scratch of the one started by hand is left: $(cat "$T/left")"
exit 0
