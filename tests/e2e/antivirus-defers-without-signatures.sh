#!/bin/bash
# Without signatures nothing is "clean": every request is a temporary failure that says the remedy, in both forms; the
# resident stays up and works as soon as there are some.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/antivirus.sh"
need python3
make_clamdb
printf 'hello\n' > "$T/body"
python3 "$TESTS/mail.py" plain "$T/body" > "$T/mail"
scan "$T/mail" || fail "with signatures: exit $?"

defers() {  # WHAT PATTERN
  scan "$T/mail" POSTERN_MID=5
  expect_equal $? 111 "$1"
  expect_equal "$(cat "$T/verdict")" "" "$1, verdict"
  expect_in "$T/log" "^Critical: postern-antivirus: unable to load signatures from .*: .*$2"
  expect_not_in "$T/log" 'CLEAN|negative'
}
use() { echo "$1" > "$POSTERN_HOME/control/clamdb"; }

mkdir "$T/empty" "$T/comments" "$T/broken" "$T/ignores"
use "$T/empty"; defers "an empty directory" "put signatures into $T/empty .*freshclam.*control/clamdb"
use "$T/none"; defers "a missing directory" 'control/clamdb'
echo '#' > "$T/comments/only.ign2"
use "$T/comments"; defers "a directory with no signature" 'put signatures into'
echo 'this is not a signature' > "$T/broken/test.hdb"
use "$T/broken"; defers "a broken database" 'put signatures into'
cp "$T/db/test.hdb" "$T/ignores/"
echo 'Eicar-Test-Signature' > "$T/ignores/local.ign2"
use "$T/ignores"; defers "signatures that ignore EICAR" 'EICAR.*ign2'

# The resident, started without signatures.
use "$T/empty"
echo 1 > "$POSTERN_HOME/control/avcheck"
start av "$B/postern-bind" antivirus "$(id -un)" "$B/postern-antivirus" --serve
resident=$LAST_PID
wait_for 30 test -S "$POSTERN_HOME/run/antivirus"
python3 "$TESTS/ask.py" antivirus POSTERN_MID=6 "0<$T/mail" > "$T/verdict"
expect_equal $? 111 "the resident without signatures"
expect_in "$T/av.log" "Critical: postern-antivirus: unable to load signatures from $T/empty"
kill -0 $resident || fail "the resident has ended"
# By itself, without being told.
cp "$T/db/test.hdb" "$T/empty/"
asks() { python3 "$TESTS/ask.py" antivirus POSTERN_MID=7 "0<$T/mail"; }
wait_for 30 asks
expect_in "$T/av.log" 'MID 7 antivirus negative'
expect_in "$T/av.log" 'antivirus ready: 1 signatures from'
kill -0 $resident || fail "the resident is another one"
exit 0
