#!/bin/bash
# once: the users do not matter to it
# SMTP smuggling: no end of data but CR LF . CR LF, in none of the three modes of control/barelf. tests/smuggling.py makes
# the attempts; what arrives in a real queue is counted: one message for each that was accepted, none from its inside.
. "$(dirname "$0")/../lib.sh"
need tcpserver python3
make_home
mkdir -p "$T/homes"
cat > "$T/smtpd" <<S
#!/bin/sh
export POSTERN_HOME="$T/homes/\$TCPLOCALPORT"
exec "$B/postern-smtpd"
S
chmod +x "$T/smtpd"
export QMAILQUEUE=$B/postern-queue

# play MODE: a home of its own, and the attempts against it.
play() {
  local mode=$1 port place
  port=$(free_port)
  local home=$T/homes/$port
  mkdir -p "$home/control" "$home/run"
  for place in tmp new cur defer; do
    for i in $(seq 0 15); do echo "$home/queue/$place/$i"; done
  done | xargs mkdir -p
  echo mx.example.org > "$home/control/me"
  echo example.org > "$home/control/rcpthosts"
  echo 1000000 > "$home/control/maxerrors"
  [ "$mode" = default ] || echo "$mode" > "$home/control/barelf"
  start "smtpd-$mode" tcpserver -RHl0 127.0.0.1 "$port" "$T/smtpd"
  wait_for 30 listening "$port"
  local said tried accepted queued
  said=$(python3 "$TESTS/smuggling.py" 127.0.0.1 "$port") || fail "$mode: $said"
  read -r tried _ accepted _ <<< "$said"
  queued=$(find "$home/queue/new" -type f | wc -l)
  echo "$mode: $said, $queued in the queue"
  [ "$tried" -gt 1000 ] || fail "too few attempts"
  expect_equal "$queued" "$accepted" "$mode: messages in the queue"
  ! find "$home/queue/new" -type f -exec grep -lzE '^sMAIL|^ssmuggled@' {} + | grep . || fail "$mode: smuggled"
  case $mode in
    default) [ "$accepted" -lt "$((tried / 2))" ] || fail "refuse accepts too much" ;;
    *) expect_equal "$accepted" "$tried" "$mode: accepted" ;;
  esac
}
play default
play strip
play allow
