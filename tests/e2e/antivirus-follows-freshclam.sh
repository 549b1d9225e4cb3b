#!/bin/bash
# New signatures are taken as freshclam puts them there (another name, then renamed), without a signal and without a gap; partial
# downloads are passed over; a set that is too small or broken leaves the old one in use, and `version` says so. What is too old
# warns, or keeps mail waiting. Row A06.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/antivirus.sh"
need python3
make_clamdb
export TMPDIR=$T
echo 1 > "$POSTERN_HOME/control/avcheck"
echo 2 > "$POSTERN_HOME/control/avminsignatures"
printf 'a new kind of virus in here\n' > "$T/body"
python3 "$TESTS/mail.py" base64 "$T/body" > "$T/mail"
old_hash() { printf '%032d:%d:Old-%s\n' "$1" 99999 "$1"; }

start av "$B/postern-bind" antivirus "$(id -un)" "$B/postern-antivirus" --serve
ask() { python3 "$TESTS/ask.py" antivirus POSTERN_MID=9 "0<$T/mail"; }
version() { python3 "$TESTS/ask.py" antivirus -- version; }
says() { version | sees "^$1"; }
wait_for 30 says 'state none: it holds 1, less than the 2 of control/avminsignatures'
ask
expect_equal $? 111 "without enough signatures"

old_hash 1 > "$T/db/daily.hdb.new"
mv "$T/db/daily.hdb.new" "$T/db/daily.hdb"
wait_for 30 says 'state ready'
version > "$T/version"
expect_in "$T/version" '^signatures 2$'
expect_in "$T/version" "^directory $T/db\$"
expect_in "$T/version" '^engine 1\.'
expect_in "$T/version" "^made $(stat -c %Y "$T/db/daily.hdb")\$"
expect_equal "$(ask)" "" "before the signature is there"

# Many requests while it is replaced: none fails.
(while [ ! -e "$T/enough" ]; do ask > "$T/last" || { echo "$? $(cat "$T/last")" >> "$T/failed"; }; done) &
asker=$!
signature="New-Kind:0:0:$(printf 'a new kind of virus' | od -An -tx1 | tr -d ' \n')"
mkdir "$T/db/tmp.1234"
echo 'half a file' > "$T/db/tmp.1234/daily.ndb"
echo 'not a signature at all' > "$T/db/daily.ndb.part"
echo "$signature" > "$T/db/daily.ndb.new"
mv "$T/db/daily.ndb.new" "$T/db/daily.ndb"
finds() { ask | sees New-Kind; }
wait_for 30 finds
echo 'no signature' > "$T/db/broken.hdb"
wait_for 30 says 'state behind: .*broken.hdb'
expect_in "$T/av.log" 'the old ones stay in use'
finds || fail "the old engine has gone"
rm "$T/db/broken.hdb"
wait_for 30 says 'state ready'
touch "$T/enough"
wait $asker
[ ! -e "$T/failed" ] || fail "a request failed during a reload: $(cat "$T/failed")"

# With the first signature alone there are too few.
mv "$T/db/daily.ndb" "$T/db/daily.hdb" "$T"
wait_for 30 says 'state behind: .*less than the 2'
finds || fail "it took a set that is too small"
mv "$T/daily.ndb" "$T/daily.hdb" "$T/db"

# Old signatures.
touch -d '2020-01-01' "$T"/db/*.*db
wait_for 30 says 'state stale: the newest were made'
wait_for 30 grep -q 'unable to trust the signatures' "$T/av.log"
finds || fail "old signatures alone keep nothing back"
echo error > "$POSTERN_HOME/control/avstale"
kill -HUP "$LAST_PID"
waits() { ask > "$T/out"; [ $? = 111 ]; }
wait_for 30 waits
wait_for 30 grep -q 'the signatures are too old' "$T/av.log"
echo 0 > "$POSTERN_HOME/control/avmaxage"
kill -HUP "$LAST_PID"
wait_for 30 finds
python3 "$TESTS/ask.py" antivirus -- banner | sees '^ClamAV 1' || fail "banner"
exit 0
