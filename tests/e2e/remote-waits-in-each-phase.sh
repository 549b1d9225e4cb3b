#!/bin/bash
# once: the users do not matter to it
# A server that stalls is given up in each phase by the time of that phase, and by no other: every other one is an hour. What it
# had not answered is temporary, and goes to the next host where nothing was decided.
. "$(dirname "$0")/../lib.sh"
make_home
PORT=$(free_port)
echo ":[127.0.0.2]:$PORT" > "$POSTERN_HOME/control/smtproutes"
printf 'Subject: x\n\nbody\n' > "$T/small"
{ printf 'Subject: x\n\n'; head -c 9000000 /dev/zero | tr '\0' 'x' | fold -w 900; } > "$T/large"
W="127.0.0.2[127.0.0.2]:$PORT"
for file in connect greeting helo mail rcpt data block dot rset; do echo 3600 > "$POSTERN_HOME/control/timeout$file"; done
NUMBER=2
SERVERS=0
# phase FILE MESSAGE REPORT WHEN=REPLY…: each with its own home, server and address, all at the same time.
phase() {
  local file=$1 message=$2 report=$3 home=$T/home.$1.$NUMBER
  shift 3
  NUMBER=$((NUMBER + 1))
  cp -r "$POSTERN_HOME" "$home"
  echo 1 > "$home/control/timeout$file"
  echo ":[127.0.1.$NUMBER]:$PORT" > "$home/control/smtproutes"
  start "server.$NUMBER" "$TESTS/smtp-server.py" "127.0.1.$NUMBER" "$PORT" "$T/sink.$NUMBER" "$@"
  wait_for 30 grep -q listening "$T/sink.$NUMBER"
  { POSTERN_HOME=$home timeout 60 "$B/postern-remote" x.test s@y.test a@x.test < "$message" 2>> "$T/log" | tr '\0' '\n' | head -n 1 |
    sed "s/127\.0\.1\.$NUMBER/127.0.0.2/g" > "$T/report.$NUMBER"; } &
  WAITED[NUMBER]=$!
  EXPECTED[NUMBER]=$report
  SERVERS=$((SERVERS + 1))
}
WAITED=()
EXPECTED=()
old="ehlo=250 old"
timed_out="from $W: Connection timed out"
phase greeting "$T/small" "s4.4.2 read the greeting $timed_out" greeting=STALL
phase greeting "$T/small" "s4.4.2 read the greeting $timed_out" "greeting=220-and so on\\n220-and on\\n220 this never ends|DRIP"
phase helo "$T/small" "s4.4.2 read the reply to EHLO $timed_out" ehlo=STALL
phase helo "$T/small" "s4.4.2 read the reply to EHLO $timed_out" "ehlo=500 no" helo=STALL
phase mail "$T/small" "s4.4.2 read the reply to MAIL $timed_out" mail=STALL
phase mail "$T/small" "s4.4.2 read the reply to MAIL $timed_out" mail=STALL "$old"
phase rcpt "$T/small" "s4.4.2 read the reply to RCPT $timed_out" rcpt=STALL
phase rcpt "$T/small" "s4.4.2 read the reply to RCPT $timed_out" rcpt=STALL "$old"
phase data "$T/small" "s4.4.2 read the reply to DATA $timed_out" data=STALL
phase data "$T/small" "s4.4.2 read the reply to DATA $timed_out" data=STALL "$old"
phase block "$T/large" "s4.4.2 send to $W: Connection timed out" "data=354 go on|STALL" "ehlo=250 PIPELINING"
phase dot "$T/small" "s4.4.2 read the reply to the message $timed_out" dot=STALL
phase dot "$T/small" "s4.4.2 read the reply to the message $timed_out" "ehlo=250-x\\n250-CHUNKING\\n250 PIPELINING" bdat=STALL
[ "$SERVERS" = 13 ] || fail "phases"
for number in "${!WAITED[@]}"; do
  wait "${WAITED[number]}"
  expect_equal "$(cat "$T/report.$number")" "${EXPECTED[number]}" "phase $number"
done

# RSET, behind a message that was refused, on a connection that is kept: a new connection takes its place.
echo 1 > "$POSTERN_HOME/control/timeoutrset"
start server "$TESTS/smtp-server.py" 127.0.0.2 "$PORT" "$T/sink" rset=STALL "rcpt:bad@x.test=550 5.1.1 unknown" "data=503 5.5.1 nobody" "data2=354 go"
wait_for 30 grep -q listening "$T/sink"
start rspawn "$B/postern-bind" rspawn root "$B/postern-rspawn" --serve --workers 1
wait_for 30 test -S "$POSTERN_HOME/run/rspawn"
python3 "$TESTS/job_row.py" rspawn "$T/small" "x.test s@y.test bad@x.test" "x.test s@y.test bad@x.test" > "$T/out"
expect_equal "$(grep -c '550 5.1.1 unknown|D' "$T/out")" 2 "reports"
expect_equal "$(grep -c '^connect' "$T/sink")" 2 "connections"
expect_in "$T/sink" '^stall'

# control/timeoutremote is in the place of all of them.
rm -f "$POSTERN_HOME/control/timeoutrset"
echo 1 > "$POSTERN_HOME/control/timeoutremote"
start silent "$TESTS/smtp-server.py" 127.0.0.3 "$PORT" "$T/silent" dot=STALL
wait_for 30 grep -q listening "$T/silent"
echo ":[127.0.0.3]:$PORT" > "$POSTERN_HOME/control/smtproutes"
expect_equal "$("$B/postern-remote" x.test s@y.test a@x.test < "$T/small" 2> /dev/null | tr '\0' '\n' | head -n 1)" \
  "s4.4.2 read the reply to the message from 127.0.0.3[127.0.0.3]:$PORT: Connection timed out"
# A time that is none.
echo 0 > "$POSTERN_HOME/control/timeoutremote"
"$B/postern-remote" x.test s@y.test a@x.test < "$T/small" > "$T/out" 2> "$T/err"
expect_equal $? 111 "exit code"
expect_in "$T/err" 'read control/timeoutremote: write 1 to 86400 seconds'
