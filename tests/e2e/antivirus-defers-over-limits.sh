#!/bin/bash
# What could not be scanned to the end is never clean: it is put away, or deferred with a warning where the settings say so; a virus
# found on the way still counts.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/antivirus.sh"
need python3 zip
make_clamdb
head -c 300000 /dev/urandom > "$T/noise"
python3 "$TESTS/mail.py" base64 "$T/noise" > "$T/mail"
scan "$T/mail" || fail "within the limits: exit $?"

echo 100000 > "$POSTERN_HOME/control/avmaxfilesize"
scan "$T/mail" POSTERN_MID=20 || fail "over a limit, with the default settings: exit $?"
expect_in "$T/verdict" $'^quarantine\tUnscannable\tlimit: over a limit of the engine'
expect_in "$T/log" "^Info: MID 20 antivirus limit '"
expect_not_in "$T/log" CLEAN
echo limit defer > "$POSTERN_HOME/control/antivirus"
scan "$T/mail" POSTERN_MID=21
expect_equal $? 111 "a file over avmaxfilesize"
expect_in "$T/log" '^Warning: postern-antivirus: unable to scan MID 21: limit: over a limit of the engine'
expect_not_in "$T/log" CLEAN

echo many > "$POSTERN_HOME/control/avmaxfilesize"
scan "$T/mail"
expect_equal $? 111 "a limit that is no number"
expect_in "$T/log" 'avmaxfilesize:1: "many" is not a number'
rm "$POSTERN_HOME/control/avmaxfilesize"

# Unpacked it is over the limit.
head -c 3000000 /dev/zero > "$T/zeros"
(cd "$T" && zip -q zeros.zip zeros)
python3 "$TESTS/mail.py" base64 "$T/zeros.zip" > "$T/mail"
scan "$T/mail" || fail "an archive within the limits: exit $?"
echo 1000000 > "$POSTERN_HOME/control/avmaxscansize"
scan "$T/mail"
expect_equal $? 111 "an archive over avmaxscansize"

# Parts beyond number.
{
  printf 'Subject: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n'
  for i in $(seq 6000); do printf -- '--b\n\nx%s\n' "$i"; done
  echo '--b--'
} > "$T/mail"
scan "$T/mail"
expect_equal $? 111 "6000 parts"
expect_in "$T/log" 'more than 5000 MIME parts'
printf -- '--b\n\n%s\n--b--\n' "$EICAR" > "$T/end"
{ sed 3q "$T/mail"; echo; cat "$T/end"; } > "$T/infected"
scan "$T/infected" && expect_in "$T/verdict" '^stop$'
exit 0
