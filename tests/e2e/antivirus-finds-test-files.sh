#!/bin/bash
# once: the users do not matter to it
# Every file of Debian's clamav-testfiles, mailed as a base64 attachment, is found by the one signature of what is packed
# in all of them. RAR files are not among them: Debian's libclamav is built without the RAR unpacker, for its licence, so
# what stands in a RAR archive is not looked at.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/antivirus.sh"
need python3
FILES=/usr/share/clamav-testfiles
[ -f $FILES/clam.exe ] || skip "clamav-testfiles is not installed"
make_clamdb
expect_equal "$(md5sum < $FILES/clam.exe | cut -d' ' -f1):$(stat -Lc %s $FILES/clam.exe)" aa15bcf478d165efd2065190eb473bcb:544 "clam.exe"

count=0
for file in "$FILES"/*; do
  case $file in *.rar) echo "not looked at: $file"; continue ;; esac
  python3 "$TESTS/mail.py" base64 "$file" > "$T/mail"
  scan "$T/mail" || fail "$file: exit $?: $(cat "$T/log")"
  expect_equal "$(cat "$T/verdict")" "quarantine${TAB}Virus${TAB}ClamAV-Test-File.UNOFFICIAL
stop" "$file"
  count=$((count + 1))
done
[ $count -ge 40 ] || fail "only $count files"
# clam.mail is a mail of its own.
scan $FILES/clam.mail && expect_in "$T/verdict" '^stop$'
echo "$count files found"
exit 0
