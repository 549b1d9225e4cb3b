#!/bin/bash
# EICAR is found wherever a mail can hold it, and what is said depends on the direction.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/antivirus.sh"
need python3 zip
make_clamdb
printf '%s' "$EICAR" > "$T/eicar.com"
(cd "$T" && zip -q eicar.zip eicar.com && zip -q twice.zip eicar.zip)

for kind in plain text base64 quoted uu nested; do
  python3 "$TESTS/mail.py" $kind "$T/eicar.com" > "$T/mail"
  scan "$T/mail" POSTERN_MID=17 || fail "$kind: exit $?: $(cat "$T/log")"
  expect_equal "$(cat "$T/verdict")" "quarantine${TAB}Virus${TAB}Eicar-Test-Signature
stop" "$kind"
  expect_equal "$(cat "$T/log")" "Info: MID 17 interim AV verdict using ClamAV VIRAL
Info: MID 17 antivirus positive 'Eicar-Test-Signature'" "$kind, log"
done
for archive in eicar.zip twice.zip; do
  for kind in base64 nested; do
    python3 "$TESTS/mail.py" $kind "$T/$archive" > "$T/mail"
    scan "$T/mail" POSTERN_DIRECTION=in || fail "$archive $kind: exit $?"
    expect_in "$T/verdict" "^quarantine${TAB}Virus${TAB}Eicar-Test-Signature$"
  done
done
scan "$T/eicar.com" && expect_in "$T/verdict" '^stop$'

for direction in local out; do
  scan "$T/mail" POSTERN_DIRECTION=$direction || fail "$direction: exit $?"
  expect_equal "$(cat "$T/verdict")" "reject${TAB}554${TAB}5.7.1 message contains a virus (Eicar-Test-Signature)" $direction
done

# From a pipe, too.
cat "$T/mail" | "$B/postern-antivirus" 2> "$T/log" | sees '^stop$' || fail "nothing found in a pipe"

printf 'nothing here\n' > "$T/clean.txt"
for kind in plain text base64 nested; do
  python3 "$TESTS/mail.py" $kind "$T/clean.txt" > "$T/mail"
  scan "$T/mail" POSTERN_MID=18 || fail "clean $kind: exit $?"
  expect_equal "$(cat "$T/verdict")" "" "clean $kind"
  expect_equal "$(cat "$T/log")" "Info: MID 18 interim AV verdict using ClamAV CLEAN
Info: MID 18 antivirus negative" "clean $kind, log"
done
: > "$T/empty"
scan "$T/empty" || fail "an empty message: exit $?"

# By hand without descriptors 3 and 4; arguments and a missing message are refused.
"$B/postern-antivirus" < "$T/mail" 3<&- 4<&- 2> "$T/log" || fail "without descriptors 3 and 4: exit $?"
"$B/postern-antivirus" --help < "$T/mail" 2> "$T/log"
expect_equal $? 100 "an argument"
expect_in "$T/log" 'usage: postern-antivirus < message'
"$B/postern-antivirus" <&- 2> "$T/log"
expect_equal $? 111 "no descriptor 0"
exit 0
