#!/bin/bash
# New signatures that could not be loaded for a passing fault are loaded when it has passed, without a signal, though
# nothing in their directory changes any more.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/antivirus.sh"
need python3
make_clamdb
echo 1 > "$POSTERN_HOME/control/avcheck"
mkdir "$T/scratch"
export TMPDIR=$T/scratch
printf 'a new kind of virus in here\n' > "$T/body"
python3 "$TESTS/mail.py" base64 "$T/body" > "$T/mail"

start av "$B/postern-bind" antivirus "$(id -un)" "$B/postern-antivirus" --serve --workers 1
ask() { python3 "$TESTS/ask.py" antivirus POSTERN_MID=9 "0<$T/mail"; }
wait_for 30 ask
expect_equal "$(ask)" "" "before the signature is there"

mv "$T/scratch" "$T/scratch.away"
echo "New-Kind:0:0:$(printf 'a new kind of virus' | od -An -tx1 | tr -d ' \n')" > "$T/db/new.ndb"
wait_for 30 grep -q 'the old ones stay in use' "$T/av.log"
mv "$T/scratch.away" "$T/scratch"
finds() { ask | sees 'New-Kind'; }
wait_for 30 finds
expect_in "$T/av.log" 'antivirus ready: 2 signatures'

# The same for a setting: the signatures are as they were.
echo many > "$POSTERN_HOME/control/avmaxfilesize"
kill -HUP "$LAST_PID"
wait_for 30 grep -q 'avmaxfilesize.*the old ones stay in use' "$T/av.log"
ready() { grep -c 'antivirus ready' "$T/av.log"; }
before=$(ready)
echo 100000 > "$POSTERN_HOME/control/avmaxfilesize"
loaded_again() { [ "$(ready)" -gt "$before" ]; }
wait_for 30 loaded_again
exit 0
