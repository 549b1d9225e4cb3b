#!/bin/bash
# The resident takes new signatures on SIGHUP without missing a message, keeps the old ones when the new ones are broken,
# and outlives its workers.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/antivirus.sh"
need python3
make_clamdb
export TMPDIR=$T
printf 'a new kind of virus in here\n' > "$T/body"
python3 "$TESTS/mail.py" base64 "$T/body" > "$T/mail"
printf '%s' "$EICAR" > "$T/eicar.com"
python3 "$TESTS/mail.py" nested "$T/eicar.com" > "$T/eicar.mail"

start av "$B/postern-bind" antivirus "$(id -un)" "$B/postern-antivirus" --serve --workers 2
resident=$LAST_PID
ask() { python3 "$TESTS/ask.py" antivirus POSTERN_MID=9 "0<$T/${1:-mail}"; }
wait_for 30 ask
workers() { pgrep -P $resident | wc -l; }
expect_equal "$(workers)" 2 "workers"
expect_equal "$(ask)" "" "before the signature is there"
expect_equal "$(ask eicar.mail)" "quarantine${TAB}Virus${TAB}Eicar-Test-Signature
stop" "EICAR"
expect_equal "$(python3 "$TESTS/ask.py" antivirus POSTERN_MID=9 POSTERN_DIRECTION=out "0<$T/eicar.mail" | cut -f1)" reject "outbound"

echo "New-Kind:0:0:$(printf 'a new kind of virus' | od -An -tx1 | tr -d ' \n')" > "$T/db/new.ndb"
kill -HUP $resident
finds() { ask | sees 'New-Kind'; }
wait_for 30 finds
expect_in "$T/av.log" 'antivirus ready: 2 signatures'

echo 'not a signature' > "$T/db/broken.hdb"
kill -HUP $resident
wait_for 30 grep -q 'the old ones stay in use' "$T/av.log"
finds || fail "the old engine has gone"

# A worker that is killed is replaced; what it unpacked is removed by the next.
rm "$T/db/broken.hdb"
for worker in $(pgrep -P $resident); do kill -9 "$worker"; done
wait_for 30 finds
wait_for 30 finds
orphans() {
  local d pid
  for d in "$T"/postern-antivirus.*; do
    pid=${d#"$T"/postern-antivirus.}
    kill -0 "${pid%%.*}" 2>/dev/null || return 0
  done
  return 1
}
orphans && { ls -d "$T"/postern-antivirus.*; fail "scratch of ended processes is left"; }
kill -0 $resident || fail "the resident has ended"
kill $resident
gone() { ! kill -0 $resident; }
wait_for 30 gone
exit 0
