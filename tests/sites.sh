# For tests of what send gives to sites: an instance without services, rspawn beside it, and names in $T/dns.

# make_sites: NAME… are domains on 127.0.0.2, 127.0.0.3 and so on, at $PORT.
make_sites() {
  make_own_instance --local home.example --user alice
  PORT=$(free_port)
  local address=2 name
  for name; do
    echo "127.0.0.$address" >> "$POSTERN_HOME/control/notipme"
    echo "$name A 127.0.0.$address" >> "$T/dns"
    address=$((address + 1))
  done
  echo "$PORT" > "$POSTERN_HOME/control/remoteport"
  echo "postern-dnsq --dns $T/dns" > "$POSTERN_HOME/control/dnsq"
}
start_rspawn() {
  start rspawn "$B/postern-bind" rspawn root "$B/postern-rspawn" --serve --workers "${1:-20}"
  wait_for 30 test -S "$POSTERN_HOME/run/rspawn"
}
# start_counting ADDRESS NAME OPTION…: log is $T/NAME; most_of NAME SECONDS: most connections, most recipients in a window, all.
start_counting() {
  local address=$1 name=$2; shift 2
  start "$name" python3 "$TESTS/counting-sink.py" "$address" "$PORT" "$T/$name" "$@"
  COUNTING_PID=$LAST_PID
  wait_for 30 listening "$PORT" "$address"
  : > "$T/$name"
}
most_of() { python3 "$TESTS/counting-sink.py" --most "$T/$1" "$2"; }
rcpts() { grep -c '^rcpt' "$T/$1"; }
rcpts_are() { [ "$(rcpts "$1")" -ge "$2" ]; }
# site_row SITE: state, running, waiting, counted of postern-send's queue/sites.
site_row() { grep " $1 " "$POSTERN_HOME/queue/sites" | cut -d' ' -f1-4; }
site_is() { [ "$(site_row "$1" | cut -d' ' -f1)" = "$2" ]; }
