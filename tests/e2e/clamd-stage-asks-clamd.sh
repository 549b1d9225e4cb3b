#!/bin/bash
# postern-clamd asks Debian's clamd, by stream, by descriptor and over TCP; when clamd is away, stops in the midst or talks
# nonsense, the message waits: it is never clean. Behind another engine it is one stage of several. Row W14.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/antivirus.sh"
need clamd python3 zip
make_clamdb
export TMPDIR=$T
printf '%s' "$EICAR" > "$T/eicar.com"
printf 'Test.Eicar:0:0:%s\n' "$(od -An -tx1 < "$T/eicar.com" | tr -d ' \n')" > "$T/db/eicar.ndb"
chmod -R a+rX "$T/db"
(cd "$T" && zip -q eicar.zip eicar.com && zip -q -P secret locked.zip eicar.com)
python3 "$TESTS/mail.py" base64 "$T/eicar.zip" > "$T/infected.mail"
printf 'nothing here\n' > "$T/clean.txt"
python3 "$TESTS/mail.py" base64 "$T/clean.txt" > "$T/clean.mail"
head -c 300000 /dev/urandom > "$T/noise"
python3 "$TESTS/mail.py" base64 "$T/noise" > "$T/large.mail"
python3 "$TESTS/mail.py" base64 "$T/locked.zip" > "$T/locked.mail"

port=$(free_port)
cat > "$T/clamd.conf" <<C
Foreground yes
DatabaseDirectory $T/db
LocalSocket $T/clamd.ctl
LocalSocketMode 666
TCPSocket $port
TCPAddr 127.0.0.1
TemporaryDirectory $T
AlertEncrypted yes
AlertExceedsMax yes
LogSyslog no
C
start clamd clamd --config-file="$T/clamd.conf"
clamd=$LAST_PID
wait_for 30 test -S "$T/clamd.ctl"
wait_for 30 listening "$port"
# stage MAIL ARGUMENT…
stage() {
  local file=$1; shift
  "$B/postern-clamd" "$@" < "$T/$file.mail" > "$T/verdict" 2> "$T/log"
}
verdict="quarantine${TAB}Virus${TAB}Test.Eicar.UNOFFICIAL
stop"
for way in "$T/clamd.ctl" "--fdpass $T/clamd.ctl" "127.0.0.1:$port"; do
  # shellcheck disable=SC2086 # words
  stage infected $way || fail "$way: $(cat "$T/log")"
  expect_equal "$(cat "$T/verdict")" "$verdict" "infected, $way"
  # shellcheck disable=SC2086
  stage clean $way || fail "$way: $(cat "$T/log")"
  expect_equal "$(cat "$T/verdict")" "" "clean, $way"
  expect_in "$T/log" 'interim AV verdict using clamd CLEAN'
  # shellcheck disable=SC2086
  stage large $way || fail "large, $way: $(cat "$T/log")"
done
echo "$T/clamd.ctl" > "$POSTERN_HOME/control/clamd"
stage infected && expect_equal "$(cat "$T/verdict")" "$verdict" "by control/clamd"
stage locked && expect_in "$T/log" ENCRYPTED

# The resident form, and two engines one after another.
start stage "$B/postern-bind" second "$(id -un)" "$B/postern-clamd" --serve
expect_equal "$(wait_for 30 python3 "$TESTS/ask.py" second POSTERN_MID=9 "0<$T/clean.mail"
  python3 "$TESTS/ask.py" second POSTERN_MID=9 "0<$T/infected.mail")" "$verdict" "resident"

# Over its StreamMaxLength, then away, then one that says nothing sensible.
kill $clamd
wait $clamd 2> /dev/null
rm -f "$T/clamd.ctl"
for mail in infected clean; do
  stage $mail
  expect_equal $? 111 "clamd is away"
  expect_in "$T/log" '^Warning: postern-clamd: unable to scan MID 0: connect to clamd'
  expect_equal "$(cat "$T/verdict")" "" "clamd is away"
  stage $mail "127.0.0.1:$port"
  expect_equal $? 111 "nobody listens"
done
echo 'StreamMaxLength 100K' >> "$T/clamd.conf"
start clamd clamd --config-file="$T/clamd.conf"
clamd=$LAST_PID
wait_for 30 test -S "$T/clamd.ctl"
stage large
expect_equal $? 111 "over its StreamMaxLength"
expect_in "$T/log" 'StreamMaxLength|clamd'
kill $clamd
cat > "$T/odd.py" <<'P'
import socket, sys
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen()
while True:
    c, _ = s.accept()
    try:
        c.recv(100)
        c.sendall(sys.argv[2].encode() + b"\0" if sys.argv[2] else b"")
        c.shutdown(socket.SHUT_WR)
        while c.recv(65536): pass
    except OSError: pass
P
for answer in '' 'OK' '1: stream: OK, or not' '2: stream: OK' 'stream: OK' 'X ERROR'; do
  rm -f "$T/odd.ctl"
  start odd python3 "$T/odd.py" "$T/odd.ctl" "$answer"
  wait_for 30 test -S "$T/odd.ctl"
  stage clean "$T/odd.ctl"
  expect_equal $? 111 "a clamd that says '$answer'"
done
stage clean --nonsense
expect_equal $? 100 "an unknown option"
stage clean --fdpass 127.0.0.1:1
expect_equal $? 100 "a descriptor over TCP"
"$B/postern-clamd" "$T/odd.ctl" <&- 2> /dev/null
expect_equal $? 111 "no message"
exit 0
