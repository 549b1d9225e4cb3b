#!/bin/bash
# A next hop that cannot be reached is tried last by all workers for a time: the delivery behind it, in another worker, goes straight
# to the next host; so does a domain that is reached by it; and what works again comes first at once.
# once: the users do not matter to it
. "$(dirname "$0")/../lib.sh"
make_home
P=$(free_port)
start good python3 "$TESTS/smtp-server.py" 127.0.0.4 "$P" "$T/good" "dot=250 2.0.0 good"
wait_for 30 grep -q listening "$T/good"
echo "x.test:127.0.0.3:$P 10, 127.0.0.4:$P 20
y.test:127.0.0.3:$P 10, 127.0.0.4:$P 20 tls=off
dead.test:127.0.0.3:$P" > "$POSTERN_HOME/control/smtproutes"
printf 'Subject: x\n\nbody\n' > "$T/message"
start rspawn "$B/postern-bind" rspawn root "$B/postern-rspawn" --serve --workers 2
RSPAWN=$LAST_PID
wait_for 30 test -S "$POSTERN_HOME/run/rspawn"
tried() { grep -c 'Connection Error: .* IP: 127\.0\.0\.3 ' "$T/rspawn.log"; }
# One connection to rspawn stays open, so that the next one gets another worker.
touch "$T/go"
{ python3 "$TESTS/job_row.py" rspawn "$T/message" POSTERN_MID=1 "x.test s@y.test a@x.test" "until:$T/go:go" > "$T/first"; echo end >> "$T/first"; } &
wait_for 30 grep -q good "$T/first"
expect_equal "$(tried)" 1 "tries of the dead host by the first delivery"
job() { python3 "$TESTS/job_row.py" rspawn "$T/message" POSTERN_MID=2 "$1 s@y.test a@$1"; }
expect_in <(job x.test) 'said: 250 2\.0\.0 good'
expect_in <(job y.test) 'said: 250 2\.0\.0 good'
expect_equal "$(tried)" 1 "tries of the dead host by another worker"
# Last, not never.
expect_in <(job dead.test) '^0 s4\.4\.1 '
expect_equal "$(tried)" 2 "tries of a host that is the only one"
# New settings forget nothing; what answers again is no longer set aside.
echo go > "$T/go"
wait_for 30 grep -q '^end' "$T/first"
kill -HUP "$RSPAWN"
expect_in <(job x.test) 'good'
expect_equal "$(tried)" 2 "tries behind new settings"
start back python3 "$TESTS/smtp-server.py" 127.0.0.3 "$P" "$T/back" "dot=250 2.0.0 back"
wait_for 30 grep -q listening "$T/back"
expect_in <(job dead.test) '250 2\.0\.0 back'
expect_in <(job x.test) '250 2\.0\.0 back'
