#!/bin/bash
# Many jobs over several connections to Postfix's smtp-sink: all arrive.
. "$(dirname "$0")/../lib.sh"
need smtp-sink
make_home
PORT=$(free_port)
echo ":[127.0.0.2]:$PORT" > "$POSTERN_HOME/control/smtproutes"
USER_OPTION=()
[ "$(id -u)" = 0 ] && USER_OPTION=(-u nobody) && chmod 711 "$T" && mkdir -m 777 "$T/sink" || mkdir "$T/sink"
start sink smtp-sink "${USER_OPTION[@]}" -d "$T/sink/%M." "127.0.0.2:$PORT" 50
wait_for 30 listening "$PORT" 127.0.0.2
start rspawn "$B/postern-bind" rspawn root "$B/postern-rspawn" --serve --workers 5
wait_for 30 test -S "$POSTERN_HOME/run/rspawn"
printf 'Subject: x\n\n.dot\nbody\n' > "$T/message"
jobs=()
for n in $(seq 40); do jobs+=("x.test s@y.test a$n@x.test"); done
for row in 1 2 3 4 5; do python3 "$TESTS/job_row.py" rspawn "$T/message" "${jobs[@]}" > "$T/row.$row" & PIDS="${PIDS:-} $!"; done
for pid in $PIDS; do wait "$pid" || fail "a row of jobs"; done
expect_equal "$(cat "$T"/row.* | grep -c '|K')" 200 "deliveries"
stored() { [ "$(find "$T/sink" -type f | wc -l)" = 200 ]; }
wait_for 30 stored
expect_equal "$(cat "$T"/sink/* | grep -c '^\.dot')" 200 "dots"
expect_equal "$(grep -c 'New SMTP' "$T/rspawn.log")" 5 "connections"
