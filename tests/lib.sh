# What every end-to-end and crash test begins with: `. "$(dirname "$0")/../lib.sh"`.
# A test passes by ending with 0; 77 is a skip (its reason printed); anything else is a failure and keeps $T.
#
#   $B  the directory of the built programs      $T  a scratch directory of this test alone
#   $POSTERN_HOME  $T/home, made by make_home or postern-init

set -u
set -o pipefail
TESTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
B=${POSTERN_BIN:-$TESTS/../build/bin}
B=$(cd "$B" && pwd) || exit 1
T=$(mktemp -d "${TMPDIR:-/tmp}/postern-test.XXXXXX")
chmod 755 "$T"
export POSTERN_HOME=$T/home
PATH=$PATH:/usr/sbin:/sbin

# Ends what still runs, and that alone: the number of a process that has ended may be another test's by now. Its children first: strace
# would leave them behind.
end_started() {  # SIGNAL
  local pid
  for pid in $(jobs -pr); do
    pkill "-$1" -P "$pid"
    kill "-$1" "$pid" 2> /dev/null
  done
}
# What the programs said last: where a test fails, nobody may come to look at $T.
tell_logs() {
  local log
  for log in $(find "$T" -maxdepth 4 \( -name '*log' -o -path '*/log/*/current' \) -type f -size +0 -printf '%T@ %p\n' | sort -rn | head -n 6 | cut -d' ' -f2-); do
    echo "--- $log"
    tail -n 4 "$log" | cut -c1-300
  done
}
finish() {
  local code=$?
  trap - EXIT
  if [ $code = 0 ] || [ $code = 77 ]; then :; else tell_logs; fi
  [ -d "$POSTERN_HOME/service" ] && stop_instance
  end_started TERM
  for _ in $(seq 50); do [ -n "$(jobs -pr)" ] || break; nap; done
  end_started KILL
  if [ $code = 0 ] || [ $code = 77 ]; then rm -rf "$T"; else echo "kept: $T"; fi
  exit $code
}
trap finish EXIT
trap 'exit 1' INT TERM

fail() { echo "FAIL: $*"; exit 1; }
skip() { echo "SKIP: $*"; exit 77; }
need() { local tool; for tool; do command -v "$tool" >/dev/null || skip "$tool is not installed"; done; }

# … | sees PATTERN: grep -q would end at the first match, and what writes into the pipe would then fail of it.
sees() { grep "$@" > /dev/null; }

# For a moment; without a process of its own, as tests do little else.
mkfifo "$T/.nap"
nap() { read -rt 0.05 <> "$T/.nap" || :; }

# wait_for SECONDS COMMAND…: polls until COMMAND succeeds.
wait_for() {
  local seconds=$1; shift
  local end=$((SECONDS + seconds + 1))
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || fail "waited $seconds s for: $*"
    nap
  done
}

# start NAME COMMAND…: in the background, output to $T/NAME.log, ended with the test.
start() {
  local name=$1; shift
  "$@" >>"$T/$name.log" 2>&1 </dev/null &
  LAST_PID=$!
}

# Below those that the kernel gives to clients: else one may get it before the server does.
free_port() {
  local port
  for _ in $(seq 1000); do
    port=$((10000 + RANDOM % 22000))
    grep -qi ":$(printf '%04X' $port) " /proc/net/{tcp,tcp6,udp} || { echo $port; return; }
  done
}
listening() { (exec 3<> "/dev/tcp/${2:-127.0.0.1}/$1") 2> /dev/null; }

expect_in() { grep -qE -- "$2" "$1" || { echo "--- $1"; tail -n 40 "$1"; fail "no line like: $2"; }; }
expect_not_in() { ! grep -qE -- "$2" "$1" || { grep -E -- "$2" "$1" | head; fail "$1 has a line like: $2"; }; }
expect_equal() { [ "$1" = "$2" ] || fail "${3:-values differ}: got '$1', expected '$2'"; }

make_home() {
  mkdir -p "$POSTERN_HOME"/control "$POSTERN_HOME"/run "$POSTERN_HOME"/queue "$POSTERN_HOME"/alias
  [ "$(id -u)" != 0 ] || chown 65534:65534 "$POSTERN_HOME/alias"
  echo mx.example.org > "$POSTERN_HOME/control/me"
}

# An instance as postern-init makes it, not started. make_instance [postern-init's options…]; $PORT is its SMTP port.
make_instance() {
  need svscan tcprules
  PORT=$(free_port)
  "$B/postern-init" "$POSTERN_HOME" --me mx.example.org --listen "127.0.0.1:$PORT" "$@" > "$T/init.log" 2>&1 ||
    { cat "$T/init.log"; fail "postern-init"; }
}
# The same with everything in the caller's hands: for tests that start single programs by hand.
make_own_instance() {
  make_instance "$@"
  chown -R "$(id -u):$(id -g)" "$POSTERN_HOME"
}
# The same, run by svscan.
start_instance() {
  make_instance "$@"
  run_instance
}
run_instance() {
  start svscan svscan "$POSTERN_HOME/service"
  SVSCAN=$LAST_PID
  wait_for 30 listening "$PORT"
  wait_for 30 "$B/postern-showctl" --ready
}
stop_instance() {
  local service
  [ -n "${SVSCAN:-}" ] && kill "$SVSCAN" 2>/dev/null
  for service in "$POSTERN_HOME"/service/*/ "$POSTERN_HOME"/service/*/log/; do
    [ -p "$service/supervise/control" ] && svc -dxk "$service" 2>/dev/null
  done
  for _ in $(seq 100); do
    pgrep -f -- "$POSTERN_HOME/" >/dev/null || break
    nap
  done
  pkill -9 -f -- "$POSTERN_HOME/" 2>/dev/null
  SVSCAN=
}
log_of() { cat "$POSTERN_HOME"/log/"$1"/@* "$POSTERN_HOME"/log/"$1"/current 2>/dev/null | tai64nlocal 2>/dev/null | cut -d' ' -f3-; }
logged() { grep -qE -- "$2" <(log_of "$1"); }

# queue_message SENDER RECIPIENT… < MESSAGE: straight into the queue; with $MID as its mid.
queue_message() {
  local sender=$1; shift
  { printf 'F%s\0' "$sender"; printf 'T%s\0' "$@"; printf '\0'; } > "$T/queue.envelope"
  POSTERN_MID=${MID:-} "$B/postern-queue" 1< "$T/queue.envelope"
}
queue_empty() { "$B/postern-qstat" | sees '^messages in queue: 0$'; }
# spool_files PLACE: the messages in queue/PLACE, one a line; with PLACE empty the lock too.
spool_files() { find "$POSTERN_HOME/queue/$1" -type f ! -name limits ! -name leases ! -name 'sites*'; }
# Lines of a log in order: in_order FILE PATTERN…
in_order() {
  local file=$1 at=0 next pattern; shift
  for pattern; do
    next=$(tail -n +$((at + 1)) "$file" | grep -nE -m 1 -- "$pattern" | cut -d: -f1)
    [ -n "$next" ] || { cat "$file"; fail "no line like $pattern behind line $at"; }
    at=$((at + next))
  done
}

# inject SENDER RECIPIENT… < MESSAGE: over SMTP to $PORT, from the address $FROM_ADDRESS; the deciding reply to descriptor 1.
inject() { python3 "$TESTS/inject.py" --from-address "${FROM_ADDRESS:-127.0.0.1}" 127.0.0.1 "$PORT" "$@"; }
# mail SUBJECT [BODY]: a small message.
mail() { printf 'From: <a@other.example>\nTo: <alice@home.example>\nSubject: %s\n\n%s\n' "$1" "${2:-hello}"; }

# eicar: the test virus, in two halves so that no scanner finds it here; make_signatures: $T/clamdb, which knows it.
eicar() { printf '%s%s' 'X5O!P%@AP[4\PZX54(P^)7CC)7}' '$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'; }
make_signatures() {
  mkdir -p "$T/clamdb"
  printf '%s:68:Eicar-Test-File\n' "$(eicar | md5sum | cut -d' ' -f1)" > "$T/clamdb/operator.hdb"
  eicar > "$T/eicar.com"
}
# start_sink PORT [WHEN=REPLY]…: another host on 127.0.0.2 (tests/smtp-server.py); its log is $T/sink, its messages $T/sink.messages.
start_sink() {
  local port=$1 before; shift
  touch "$T/sink" "$T/sink.messages"
  before=$(grep -c '^listening' "$T/sink")
  start sink-output python3 "$TESTS/smtp-server.py" 127.0.0.2 "$port" "$T/sink" "$@"
  SINK_PID=$LAST_PID
  # Not by a connection of ours: it would stand among those that are counted.
  sink_listens() { [ "$(grep -c '^listening' "$T/sink")" -gt "$before" ]; }
  wait_for 30 sink_listens
}
stop_sink() {
  kill "$SINK_PID"
  wait "$SINK_PID" 2> /dev/null
  return 0
}
# mailbox NAME: the messages in its Maildir, one a line.
mailbox() { find "$POSTERN_HOME/mail/$1/Maildir/new" -type f 2> /dev/null; }
# service_pid NAME: what supervise runs.
service_pid() { svstat "$POSTERN_HOME/service/$1" | sed -n 's/.*(pid \([0-9]*\)).*/\1/p'; }
# try_now: send tries everything that it has put off.
try_now() { svc -a "$POSTERN_HOME/service/send"; }
# stop_service NAME: taken down by supervise, and gone; start_service NAME: up again.
service_is_down() { grep ': down' <(svstat "$POSTERN_HOME/service/$1") > /dev/null; }
stop_service() { svc -d "$POSTERN_HOME/service/$1"; wait_for 30 service_is_down "$1"; }
start_service() { svc -u "$POSTERN_HOME/service/$1"; }
# start_stubs: tests/stub_delivery.sh as lspawn and rspawn of an instance that nobody runs; start_send: postern-send, $SEND_PID, its log
# is $T/send.log. The messages kept are $T/kept.MID. stop_send: by SIGTERM, and gone.
start_stubs() {
  start lspawn "$B/postern-serve" --workers "${1:-4}" run/lspawn "$TESTS/stub_delivery.sh" "$T" local
  start rspawn "$B/postern-serve" --workers "${1:-4}" run/rspawn "$TESTS/stub_delivery.sh" "$T" remote
  touch "$T/jobs"
}
start_send() { start send "$B/postern-send"; SEND_PID=$LAST_PID; }
stop_send() { kill "${1:--TERM}" "$SEND_PID"; wait "$SEND_PID" 2> /dev/null; return 0; }
kept() { find "$T" -maxdepth 1 -name 'kept.*'; }
kept_are() { [ "$(kept | wc -l)" = "$1" ]; }
# queue_with_extras EXTRAS SENDER RECIPIENT… < MESSAGE: as queue_message; EXTRAS as printf has them.
queue_with_extras() {
  printf -- "$1" > "$T/extras"; shift
  POSTERN_EXTRAS=5 queue_message "$@" 5< "$T/extras"
}
