#!/bin/bash
# A worker that is killed in the middle of a request is a temporary failure for that client alone; the pool recovers.
. "$(dirname "$0")/../lib.sh"
need tcpserver python3
make_own_instance
install -m 755 "$TESTS/data/judge.sh" "$T/judge"
echo "$B/postern-queue" > "$T/next"
start judge "$B/postern-serve" --workers 2 run/judge "$T/judge"
SERVER=$LAST_PID
start smtpd env RELAYCLIENT= QMAILQUEUE=@judge tcpserver -RHl0 127.0.0.1 "$PORT" "$B/postern-smtpd"
wait_for 30 test -S "$POSTERN_HOME/run/judge"
wait_for 30 listening "$PORT"

for _ in 1 2 3; do
  mail parent | inject a@x.example b@mx.example.org > "$T/answer"; expect_equal $? 2 "a killed worker: $(cat "$T/answer")"
  mail hello | inject a@x.example b@mx.example.org > "$T/answer" || fail "after it: $(cat "$T/answer")"
done
expect_in "$T/judge.log" 'unable to keep a worker: killed by signal 9'
two_workers() { [ "$(pgrep -c -P "$SERVER")" = 2 ]; }
wait_for 30 two_workers
expect_equal "$(spool_files new | wc -l)" 3 "messages"

# postern-queue's worker, killed while the message still comes: the client sees the end, nothing of it can be delivered.
start queue "$B/postern-bind" queue "$(id -un)" "$B/postern-queue" --serve --workers 1
QUEUE=$LAST_PID
wait_for 30 test -S "$POSTERN_HOME/run/queue"
printf 'Fa@x\0Tb@y\0\0' > "$T/envelope"
python3 - "$QUEUE" "$T/envelope" <<'P' || fail "see above"
import array, glob, os, signal, socket, subprocess, sys, time
home = os.environ["POSTERN_HOME"]
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect(home + "/run/queue")
r, w = os.pipe()
e = os.open(sys.argv[2], os.O_RDONLY)
s.sendmsg([b"\x01\x00\x00" + b"POSTERN_MID=4711\0\0" + bytes([0, 1])], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [r, e]))])
os.write(w, b"Subject: half\n\n")
for _ in range(200):
    if glob.glob(home + "/queue/tmp/*/4711"): break
    time.sleep(0.02)
else:
    sys.exit("it never began to write")
worker = int(subprocess.check_output(["pgrep", "-P", sys.argv[1]]).split()[0])
os.kill(worker, signal.SIGKILL)
s.settimeout(10)
try:
    reply = s.recv(10)
except ConnectionResetError:
    reply = b""
assert reply == b"", "a reply of a killed worker: %r" % reply
P
expect_equal "$(spool_files new | grep -c "/4711$")" 0 "half a message in new/"
# What it left in tmp/ is garbage by name, and a new worker answers.
python3 "$TESTS/ask.py" queue POSTERN_MID=4712 "0<$T/next" "1<$T/envelope" || fail "after it: exit code $?"
expect_equal "$(spool_files new | grep -c "/4712$")" 1 "the next message"
