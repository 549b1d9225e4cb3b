#!/bin/bash
# A client that has gone before the commit: nothing of its message is in new/, nothing stays in tmp/; its retry makes no duplicate.
. "$(dirname "$0")/../lib.sh"
need python3
make_own_instance
echo none > "$POSTERN_HOME/control/stages"
start queue "$B/postern-bind" queue "$(id -un)" "$B/postern-queue" --serve --workers 2 --clients "$(id -u)"
start scanq "$B/postern-bind" scanq "$(id -un)" "$B/postern-scanq" --serve --workers 2
wait_for 30 test -S "$POSTERN_HOME/run/queue"
wait_for 30 test -S "$POSTERN_HOME/run/scanq"
printf 'Fa@x\0Tb@mx.example.org\0\0' > "$T/envelope"
cat > "$T/leave.py" <<'P'
import array, os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect(os.environ["POSTERN_HOME"] + "/run/" + sys.argv[1])
r, w = os.pipe()
e = os.open(sys.argv[2], os.O_RDONLY)
s.sendmsg([b"\x01\x00\x00" + b"POSTERN_MID=4711\0\0" + bytes([0, 1])], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [r, e]))])
os.write(w, b"Subject: half\n\n")
if sys.argv[3] == "leave": s.close()
os.write(w, b"the rest\n")
os.close(w)
if sys.argv[3] == "leave": sys.exit(0)
s.settimeout(20)
sys.exit(s.recv(10)[0])
P
for service in queue scanq; do
  python3 "$T/leave.py" $service "$T/envelope" leave || fail "the client"
  wait_for 30 grep -q 'commit the message: the client has gone' "$T/$service.log"
  expect_equal "$(spool_files new)$(spool_files tmp)" "" "files after a client of @$service has gone"
done
expect_not_in "$T/queue.log" 'queued for delivery'
python3 "$T/leave.py" scanq "$T/envelope" stay || fail "one that stays: $?"
expect_equal "$(spool_files new | wc -l)" 1 "its message"
expect_in "$T/queue.log" '^Info: MID 4711 queued for delivery$'
