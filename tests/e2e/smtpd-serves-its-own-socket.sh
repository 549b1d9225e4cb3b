#!/bin/bash
# The resident form accepts connections itself: rules and variables as under tcpserver, a limit on sessions, a new
# memory layout after a crash, and sessions that outlive it.
. "$(dirname "$0")/../lib.sh"
need tcprules python3
make_home
mkdir "$POSTERN_HOME/store"
echo example.org > "$POSTERN_HOME/control/rcpthosts"
echo 2 > "$POSTERN_HOME/control/concurrencyincoming"
echo 1500 > "$POSTERN_HOME/control/timeoutstress"
printf '%s\n' '127.0.0.9:deny' '127.0.0.:allow,RELAYCLIENT="",POSTERN_LISTENER="Inside"' '::1:allow,POSTERN_LISTENER="Six"' ':deny' |
  tcprules "$POSTERN_HOME/control/tcp.smtp.cdb" "$T/tcp.tmp"
export QMAILQUEUE=$TESTS/data/queue-store.sh
port=$(free_port)
start smtpd "$B/postern-bind" "tcp:127.0.0.1:$port" "$B/postern-smtpd" --serve
server=$LAST_PID
wait_for 30 listening "$port"
log=$T/smtpd.log
sessions() { pgrep -cP "$server"; }
no_sessions() { [ "$(sessions)" = 0 ]; }
wait_for 30 no_sessions

# A message from end to end, and what the session knows of its client.
mail hello | FROM_ADDRESS=127.0.0.3 PORT=$port inject a@other.example someone@elsewhere.example > "$T/reply"
expect_in "$T/reply" '^250 '
expect_in "$log" 'New SMTP ICID [0-9]+ interface Inside \(127\.0\.0\.1\) address 127\.0\.0\.3 '
expect_in "$log" 'RELAY SG RELAYLIST'

# Denied by a rule: closed without a word.
python3 - "$port" <<'P' || fail "127.0.0.9 was not turned away"
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10, ("127.0.0.9", 0))
s.settimeout(10)
sys.exit(s.recv(100) != b"")
P
expect_in "$log" '127\.0\.0\.9 denied'

# Two sessions at most; the third waits until one ends.
exec 5<> "/dev/tcp/127.0.0.1/$port" 6<> "/dev/tcp/127.0.0.1/$port"
read -rt 10 line <&5 && read -rt 10 line <&6 || fail "no greeting"
exec 7<> "/dev/tcp/127.0.0.1/$port"
wait_for 30 grep -q 'all 2 of control/concurrencyincoming are taken' "$log"
expect_equal "$(sessions)" 2 "sessions"
read -rt 0.2 line <&7 && fail "a third session began"
exec 5>&-
read -rt 10 line <&7 || fail "the third session did not begin when one had ended"

# A session that crashes: the server executes itself anew, and still counts the one that goes on.
stack() { grep -F '[stack]' "/proc/$server/maps"; }
before=$(stack)
kill -SEGV "$(pgrep -nP "$server")"
wait_for 30 grep -q 'died by signal 11' "$log"
anew() { [ "$(stack)" != "$before" ]; }
wait_for 30 anew
exec 7>&- 7<> "/dev/tcp/127.0.0.1/$port"
read -rt 10 line <&7 || fail "no greeting after a crash"
exec 8<> "/dev/tcp/127.0.0.1/$port"
read -rt 0.3 line <&8 && fail "a third session began after a crash"
exec 8>&-

# SIGHUP: the server reads its settings anew; the socket and the sessions stay, and are counted.
before=$(stack)
echo 3 > "$POSTERN_HOME/control/concurrencyincoming"
kill -HUP "$server"
wait_for 30 anew
exec 8<> "/dev/tcp/127.0.0.1/$port"
read -rt 10 line <&8 || fail "no greeting after SIGHUP"
printf 'NOOP\r\n' >&6
read -rt 10 line <&6
[[ $line = 250* ]] || fail "SIGHUP ended a session: $line"
exec 5<> "/dev/tcp/127.0.0.1/$port"
wait_for 30 grep -q 'all 3 of control/concurrencyincoming are taken' "$log"
exec 5>&- 8>&-

# SIGTERM: no new connections, and what has begun goes on.
kill -TERM "$server"
gone() { ! kill -0 "$server"; }
wait_for 30 gone
printf 'NOOP\r\n' >&6
read -rt 10 line <&6
[[ $line = 250* ]] || fail "the session ended with the server: $line"
listening "$port" 2>/dev/null && fail "somebody still listens"
exec 6>&- 7>&-

# IPv6 and, on the same socket, IPv4 under its own name.
port=$(free_port)
if python3 -c 'import socket; socket.create_server(("::1", 0), family=socket.AF_INET6)' 2>/dev/null; then
  start smtpd "$B/postern-bind" "tcp:[::]:$port" "$B/postern-smtpd" --serve
  wait_for 30 listening "$port" ::1
  wait_for 30 grep -qE 'interface Six \(::1\) address ::1 ' "$log"
  : > "$log"
  wait_for 30 listening "$port" 127.0.0.1
  wait_for 30 grep -qE 'interface Inside \(127\.0\.0\.1\) address 127\.0\.0\.1 ' "$log"
else
  echo "not tried: this machine has no IPv6 loopback"
fi

# One client has control/concurrencyperip places and no more, also after one of its sessions has ended; loopback
# has them all, and a count of sessions from elsewhere is believed only while there are any.
echo ':allow' | tcprules "$POSTERN_HOME/control/tcp.smtp.cdb" "$T/tcp.tmp"
echo 1 > "$POSTERN_HOME/control/concurrencyperip"
port=$(free_port)
POSTERN_SMTPD_SESSIONS=99 start smtpd "$B/postern-bind" "tcp:0.0.0.0:$port" "$B/postern-smtpd" --serve
server=$LAST_PID
wait_for 30 listening "$port"
exec 5<> "/dev/tcp/127.0.0.1/$port" 6<> "/dev/tcp/127.0.0.1/$port"
read -rt 10 line <&5 && read -rt 10 line <&6 || fail "loopback is limited"
exec 5>&- 6>&-
wait_for 30 no_sessions
address=$(hostname -I 2>/dev/null | tr ' ' '\n' | grep -m1 -F .)
if [ -n "$address" ]; then
  exec 5<> "/dev/tcp/$address/$port"
  read -rt 10 line <&5 || fail "no greeting at $address"
  exec 6<> "/dev/tcp/$address/$port"
  read -rt 10 line <&6
  expect_equal "$line" $'421 4.7.0 too many connections from your address\r' "answer to the second session"
  wait_for 30 grep -q "Connection from $address refused: all 1 of control/concurrencyperip" "$log"
  expect_equal "$(sessions)" 1 "sessions of one client"
  exec 5>&- 6>&-
  wait_for 30 no_sessions
  exec 5<> "/dev/tcp/$address/$port"
  read -rt 10 line <&5
  [[ $line = 220* ]] || fail "the place was not given back: $line"
  exec 5>&-
else
  echo "not tried: this machine has no address but loopback"
fi

# Rules that cannot be read let nobody in.
rm "$POSTERN_HOME/control/tcp.smtp.cdb"
port=$(free_port)
start smtpd "$B/postern-bind" "tcp:127.0.0.1:$port" "$B/postern-smtpd" --serve
wait_for 30 listening "$port"
wait_for 30 grep -q 'unable to let 127.0.0.1 connect: open .*tcp.smtp.cdb: it is not there' "$log"
