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
STARTED=()

finish() {
  local code=$? pid
  trap - EXIT
  [ -d "$POSTERN_HOME/service" ] && stop_instance
  for pid in "${STARTED[@]:-}"; do [ -n "$pid" ] && kill "$pid" 2>/dev/null; done
  for pid in "${STARTED[@]:-}"; do
    [ -n "$pid" ] || continue
    for _ in $(seq 50); do kill -0 "$pid" 2>/dev/null || break; read -rt 0.05 <> <(:) || :; done
    kill -9 "$pid" 2>/dev/null
  done
  if [ $code = 0 ] || [ $code = 77 ]; then rm -rf "$T"; else echo "kept: $T"; fi
  exit $code
}
trap finish EXIT
trap 'exit 1' INT TERM

fail() { echo "FAIL: $*"; exit 1; }
skip() { echo "SKIP: $*"; exit 77; }
need() { local tool; for tool; do command -v "$tool" >/dev/null || skip "$tool is not installed"; done; }

# wait_for SECONDS COMMAND…: polls until COMMAND succeeds.
wait_for() {
  local seconds=$1; shift
  local end=$((SECONDS + seconds + 1))
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || fail "waited $seconds s for: $*"
    read -rt 0.05 <> <(:) || :
  done
}

# start NAME COMMAND…: in the background, output to $T/NAME.log, ended with the test.
start() {
  local name=$1; shift
  "$@" >>"$T/$name.log" 2>&1 </dev/null &
  STARTED+=($!)
  LAST_PID=$!
}

free_port() {
  python3 - <<'P'
import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])
P
}
listening() { python3 -c 'import socket,sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 1).close()' "${2:-127.0.0.1}" "$1"; }

expect_in() { grep -qE -- "$2" "$1" || { echo "--- $1"; tail -n 40 "$1"; fail "no line like: $2"; }; }
expect_not_in() { ! grep -qE -- "$2" "$1" || { grep -E -- "$2" "$1" | head; fail "$1 has a line like: $2"; }; }
expect_equal() { [ "$1" = "$2" ] || fail "${3:-values differ}: got '$1', expected '$2'"; }

make_home() {
  mkdir -p "$POSTERN_HOME"/control "$POSTERN_HOME"/run "$POSTERN_HOME"/queue
  echo mx.example.org > "$POSTERN_HOME/control/me"
}

# An instance as postern-init makes it, run by svscan. start_instance [postern-init's options…]; $PORT is its SMTP port.
start_instance() {
  need svscan tcpserver
  PORT=$(free_port)
  "$B/postern-init" "$POSTERN_HOME" --me mx.example.org --listen "127.0.0.1:$PORT" "$@" > "$T/init.log" 2>&1 ||
    { cat "$T/init.log"; fail "postern-init"; }
  run_instance
}
run_instance() {
  start svscan svscan "$POSTERN_HOME/service"
  SVSCAN=$LAST_PID
  wait_for 20 listening "$PORT"
  wait_for 20 "$B/postern-showctl" --ready
}
stop_instance() {
  local service
  [ -n "${SVSCAN:-}" ] && kill "$SVSCAN" 2>/dev/null
  for service in "$POSTERN_HOME"/service/*/ "$POSTERN_HOME"/service/*/log/; do
    [ -p "$service/supervise/control" ] && svc -dxk "$service" 2>/dev/null
  done
  for _ in $(seq 100); do
    pgrep -f -- "$POSTERN_HOME/" >/dev/null || break
    read -rt 0.05 <> <(:) || :
  done
  pkill -9 -f -- "$POSTERN_HOME/" 2>/dev/null
  SVSCAN=
}
log_of() { cat "$POSTERN_HOME"/log/"$1"/@* "$POSTERN_HOME"/log/"$1"/current 2>/dev/null | tai64nlocal 2>/dev/null | cut -d' ' -f3-; }
logged() { log_of "$1" | grep -qE -- "$2"; }
