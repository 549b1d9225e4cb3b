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

rm "$POSTERN_HOME/control/avmaxscansize"

# libclamav cuts some of these in silence.
mkdir "$T/archives"
python3 "$TESTS/archives.py" "$T/archives" 800000 1000001 1600000
for limit in avmaxfilesize avmaxscansize; do
  echo 1000000 > "$POSTERN_HOME/control/$limit"
  for archive in "$T"/archives/*; do
    python3 "$TESTS/mail.py" base64 "$archive" > "$T/mail"
    scan "$T/mail"
    code=$?
    case ${archive##*/} in
      *.800000) [ "$limit $code" = 'avmaxscansize 111' ] || expect_equal $code 0 "${archive##*/}, below $limit" ;;
      *) expect_equal $code 111 "${archive##*/}, over $limit" ;;
    esac
  done
  rm "$POSTERN_HOME/control/$limit"
done
echo 8191 > "$POSTERN_HOME/control/avmaxfilesize"
scan "$T/mail"
expect_equal $? 111 "avmaxfilesize below what libclamav unpacks at once"
expect_in "$T/log" 'avmaxfilesize:1: 8191 is less than 8192'
rm "$POSTERN_HOME/control/avmaxfilesize"

# What is unpacked counts for the message, not for each of its parts.
multipart() { # FILE…
  printf 'Subject: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n'
  for file; do
    printf -- '--b\nContent-Type: application/zip\nContent-Transfer-Encoding: base64\n\n'
    base64 "$file"
  done
  echo '--b--'
}
echo 2000000 > "$POSTERN_HOME/control/avmaxscansize"
multipart "$T/archives/zip.800000" > "$T/mail"
scan "$T/mail" || fail "one archive of 800000 bytes: exit $?"
multipart "$T"/archives/zip{,-bzip2,-in-zip}.800000 > "$T/mail"
scan "$T/mail"
expect_equal $? 111 "three archives of 800000 bytes"
printf '%s' "$EICAR" > "$T/eicar"
multipart "$T/eicar" "$T"/archives/zip{,-bzip2,-in-zip}.800000 > "$T/mail"
scan "$T/mail" || fail "a virus in front of three archives: exit $?"
expect_in "$T/verdict" '^stop$'
rm "$POSTERN_HOME/control/avmaxscansize"

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
