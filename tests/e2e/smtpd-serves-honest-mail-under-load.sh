#!/bin/bash
# 1,000 idle connections and 100 slow ones, all of which come again when they are sent away, do not keep honest mail out: they have less time while
# places are short; one address has no more places than its policy gives it; afterwards clients have their time again.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/hat.sh"
make_instance --local home.example --user alice
echo none > "$POSTERN_HOME/control/stages"
echo 300 > "$POSTERN_HOME/control/concurrencyincoming"
echo 2000 > "$POSTERN_HOME/control/backlog"
echo 5 > "$POSTERN_HOME/control/timeoutstress"
outsiders
echo 'OPEN ACCEPT max_connections=25' > "$POSTERN_HOME/control/policies"
echo 'ALL: $OPEN' > "$POSTERN_HOME/control/hat"
compile_hat
run_instance

# One address: the rest are told at once.
python3 - "$PORT" > "$T/one" <<'P' || fail "one address"
import socket, sys
held = [socket.create_connection(("127.0.0.1", int(sys.argv[1])), 30, ("127.0.4.1", 0)) for _ in range(60)]
said = [s.recv(200)[:3].decode() for s in held]
print(said.count("220"), said.count("421"))
P
expect_equal "$(cat "$T/one")" "25 35" "places of one address"

start flood python3 "$TESTS/flood.py" "$PORT" 1000 100 "$T/flooded"
wait_for 30 test -e "$T/flooded"
wait_for 30 logged smtpd 'all 300 of control/concurrencyincoming are taken'
honest() { mail "$1" | FROM_ADDRESS=127.0.3.1 inject a@other.example alice@home.example > "$T/reply" && sees '^250 ' < "$T/reply"; }
for number in 1 2; do wait_for 30 honest "honest $number"; done
arrived() { [ "$(mailbox alice | xargs -r grep -lE '^Subject: honest [12]$' | wc -l)" -ge 2 ]; }
wait_for 30 arrived
expect_in <(log_of smtpd) 'have control/timeoutstress to get on'
kill "$LAST_PID"
wait_for 30 logged smtpd 'Clients have their time again'
