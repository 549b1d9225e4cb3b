#!/bin/bash
# Debian's clamdscan works against postern-clamserver as against clamd: by path, by stream, by descriptor, over TCP; the protocol's
# commands in all three forms.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/antivirus.sh"
need clamdscan python3 zip
make_clamdb
export TMPDIR=$T
mkdir "$T/files" "$T/files/inner"
printf '%s' "$EICAR" > "$T/files/eicar.com"
printf 'nothing here\n' > "$T/files/clean.txt"
(cd "$T/files" && zip -q inner/eicar.zip eicar.com)
printf 'a plain file\n' > "$T/clean.txt"
ln -s "$T/files/eicar.com" "$T/files/inner/link"
mkfifo "$T/files/fifo"
chmod -R a+rX "$T/files"

start av "$B/postern-bind" antivirus "$(id -un)" "$B/postern-antivirus" --serve --workers 2
start clamd "$B/postern-bind" --everybody --stream clamd "$(id -un)" "$B/postern-clamserver" --serve
clamd=$LAST_PID
port=$(free_port)
start tcp "$B/postern-bind" "tcp:127.0.0.1:$port" "$B/postern-clamserver" --serve
printf 'LocalSocket %s/run/clamd\n' "$POSTERN_HOME" > "$T/unix.conf"
printf 'TCPSocket %s\nTCPAddr 127.0.0.1\n' "$port" > "$T/tcp.conf"
ask() { python3 "$TESTS/clamd_ask.py" "$POSTERN_HOME/run/clamd" "$@"; }
wait_for 30 ask n PING
wait_for 30 listening "$port"

# check CONF OPTION… -- FILE EXPECTED-CODE
check() {
  local conf=$1 file=$2 code=$3; shift 3
  clamdscan --config-file="$T/$conf" --no-summary "$@" "$file" > "$T/out" 2>&1
  expect_equal $? "$code" "clamdscan $conf $* $file: $(cat "$T/out")"
}
for way in "unix.conf" "unix.conf --stream" "unix.conf --fdpass" "unix.conf --multiscan" "tcp.conf --stream" "tcp.conf"; do
  # shellcheck disable=SC2086 # words
  set -- $way; conf=$1; shift
  check "$conf" "$T/files/eicar.com" 1 "$@"
  expect_in "$T/out" '/files/eicar.com: Eicar-Test-Signature FOUND'
  check "$conf" "$T/clean.txt" 0 "$@"
  expect_in "$T/out" '/clean.txt: OK'
  check "$conf" "$T/files" 1 "$@"
  expect_in "$T/out" '/inner/eicar.zip: Eicar-Test-Signature FOUND'
done
check unix.conf "$T/none" 2
clamdscan --config-file="$T/unix.conf" --fdpass --multiscan --no-summary "$T/files" > "$T/out" 2>&1
expect_equal "$(grep -c 'FOUND$' "$T/out")" 2 "several descriptors in one session: $(cat "$T/out")"
clamdscan --config-file="$T/unix.conf" --ping 5:1 > "$T/out" 2>&1 || fail "--ping: $(cat "$T/out")"
clamdscan --config-file="$T/unix.conf" --reload > "$T/out" 2>&1 || fail "--reload: $(cat "$T/out")"
clamdscan --config-file="$T/unix.conf" --version 2>&1 | sees '^ClamAV 1' || fail "--version"

for form in n z plain; do
  expect_equal "$(ask $form PING)" PONG "$form PING"
  expect_equal "$(ask $form "SCAN $T/files/eicar.com")" "$T/files/eicar.com: Eicar-Test-Signature FOUND" "$form SCAN"
  ask $form VERSIONCOMMANDS | sees '^ClamAV 1.*| COMMANDS: .*INSTREAM' || fail "$form VERSIONCOMMANDS"
  ask $form STATS | sees '^STATE: VALID' || fail "$form STATS"
  expect_equal "$(ask $form RELOAD)" RELOADING "$form RELOAD"
  expect_equal "$(ask $form SHUTDOWN)" "UNKNOWN COMMAND" "$form SHUTDOWN"
  expect_equal "$(ask $form "SCAN etc/passwd" | grep -c 'ERROR$')" 1 "$form: a relative path"
done
expect_equal "$(ask z --session PING "SCAN $T/clean.txt" --stream "$T/files/eicar.com" --fd "$T/files/inner/eicar.zip" PING)" "1: PONG
2: $T/clean.txt: OK
3: stream: Eicar-Test-Signature FOUND
4: fd: Eicar-Test-Signature FOUND
5: PONG" "a session"
ask n "CONTSCAN $T/files" | sort > "$T/out"
expect_equal "$(grep -c 'FOUND$' "$T/out")" 2 "CONTSCAN"
expect_equal "$(ask n "SCAN $T/files" | grep -c 'FOUND$')" 1 "SCAN of a directory ends at the first"

# What was not scanned to the end is not OK.
head -c 300000 /dev/urandom > "$T/noise"
echo 100000 > "$POSTERN_HOME/control/clamdmaxstream"
kill -0 $clamd || fail "it has ended"
kill $clamd
start clamd "$B/postern-bind" --everybody --stream clamd "$(id -un)" "$B/postern-clamserver" --serve
over() { ask z --stream "$T/noise" | sees 'INSTREAM size limit exceeded. ERROR'; }
wait_for 30 over
printf 'Rar!\032\007\000xxxxxxxxxxxxxxxxxxxxxxxxx' > "$T/x.rar"
expect_equal "$(ask z --stream "$T/x.rar")" "stream: cannot be scanned: RAR. ERROR" "RAR"
rm "$POSTERN_HOME/control/clamdb"
echo "$T/nothing" > "$POSTERN_HOME/control/clamdb"
mv "$T/db" "$T/away"
start av2 "$B/postern-bind" antivirus "$(id -un)" "$B/postern-antivirus" --serve
none() { ask z --stream "$T/clean.txt" | sees 'no signatures. ERROR'; }
wait_for 30 none
exit 0
