#!/bin/bash
# SIGHUP: what is in hand finishes with the old worker while a new one answers; SIGTERM: what is in hand finishes, then all end.
. "$(dirname "$0")/../lib.sh"
need python3
make_own_instance
printf 'Fa@x\0Tb@y\0\0' > "$T/envelope"
cat > "$T/hold.py" <<'P'
# Holds a request open until the file named last exists, then finishes it; exit code: the reply's.
import array, os, socket, sys, time
service, envelope, mid, go = sys.argv[1:5]
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect(os.environ["POSTERN_HOME"] + "/run/" + service)
r, w = os.pipe()
e = os.open(envelope, os.O_RDONLY)
s.sendmsg([b"\x01\x00\x00" + b"POSTERN_MID=" + mid.encode() + b"\0\0" + bytes([0, 1])], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [r, e]))])
os.close(r)
os.write(w, b"Subject: slow\n\n")
for _ in range(1000):
    if os.path.exists(go): break
    time.sleep(0.02)
os.write(w, b"the rest\n")
os.close(w)
s.settimeout(20)
reply = s.recv(10)
sys.exit(reply[0] if reply else 75)
P
start queue "$B/postern-bind" queue "$(id -un)" "$B/postern-queue" --serve --workers 1
SERVER=$LAST_PID
wait_for 30 test -S "$POSTERN_HOME/run/queue"
writing() { [ -n "$(find "$POSTERN_HOME/queue/tmp" -name "$1")" ]; }

python3 "$T/hold.py" queue "$T/envelope" 1001 "$T/go1" & held=$!
wait_for 30 writing 1001
old=$(pgrep -P "$SERVER")
kill -HUP "$SERVER"
mail two > "$T/message"
python3 "$TESTS/ask.py" queue POSTERN_MID=1002 "0<$T/message" "1<$T/envelope" || fail "during the reload: $?"
kill -0 "$old" || fail "the old worker ended with a request in hand"
touch "$T/go1"
wait $held || fail "the request that was in hand at SIGHUP: $?"
old_gone() { ! kill -0 "$old"; }
wait_for 30 old_gone
expect_equal "$(pgrep -c -P "$SERVER")" 1 "workers after the reload"
# An idle worker ends at once.
old=$(pgrep -P "$SERVER")
kill -HUP "$SERVER"
wait_for 30 old_gone

python3 "$T/hold.py" queue "$T/envelope" 1003 "$T/go3" & held=$!
wait_for 30 writing 1003
kill -TERM "$SERVER"
kill -0 "$SERVER" || fail "it ended with a request in hand"
touch "$T/go3"
wait $held || fail "the request that was in hand at SIGTERM: $?"
wait "$SERVER"; expect_equal $? 0 "exit code after SIGTERM"
expect_equal "$(find "$POSTERN_HOME/queue/new" -type f -printf '%f\n' | sort | tr '\n' ' ')" "1001 1002 1003 " "messages"

# A killed parent takes its workers with it, but not before they have finished.
start again "$B/postern-bind" queue "$(id -un)" "$B/postern-queue" --serve --workers 1
SERVER=$LAST_PID
worker() { pgrep -P "$SERVER"; }
wait_for 30 worker
old=$(worker)
python3 "$T/hold.py" queue "$T/envelope" 1004 "$T/go4" & held=$!
wait_for 30 writing 1004
kill -KILL "$SERVER"
touch "$T/go4"
wait $held || fail "the request that was in hand when the parent was killed: $?"
wait_for 30 old_gone

# Without a socket it says what is missing.
for fd in /dev/null "$T/envelope"; do
  timeout 10 "$B/postern-queue" --serve 3< "$fd" 2> "$T/log"; expect_equal $? 111 "exit code without a socket"
  expect_in "$T/log" 'descriptor 3 is no listening socket; start it behind postern-bind'
done

# scanq reads control/stages again.
echo none > "$POSTERN_HOME/control/stages"
rm "$POSTERN_HOME/run/queue"
start queue3 "$B/postern-bind" queue "$(id -un)" "$B/postern-queue" --serve --workers 1
start scanq "$B/postern-bind" scanq "$(id -un)" "$B/postern-scanq" --serve --workers 2
SERVER=$LAST_PID
wait_for 30 test -S "$POSTERN_HOME/run/queue"
wait_for 30 test -S "$POSTERN_HOME/run/scanq"
ask() { python3 "$TESTS/ask.py" scanq "0<$T/message" "1<$T/envelope" "6>$T/reason"; }
ask || fail "without stages: $?"
printf '#!/bin/sh\nprintf "reject\\t550\\t5.7.1 no\\n"\n' > "$T/no"; chmod +x "$T/no"
echo "no $T/no" > "$POSTERN_HOME/control/stages"
kill -HUP "$SERVER"
refused() { ask; [ $? = 82 ]; }
wait_for 30 refused
expect_equal "$(cat "$T/reason")" "D550 5.7.1 no" "reason"
# Nonsense in the file: the old stages stay.
echo "no" > "$POSTERN_HOME/control/stages"
kill -HUP "$SERVER"
wait_for 30 grep -q 'Critical: postern-scanq: unable to read the settings' "$T/scanq.log"
refused || fail "with a broken file: the old stages should stay"
