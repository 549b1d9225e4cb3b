#!/bin/bash
# What a server says unasked behind a message is not taken for the replies to the next one: the connection is given up, and the
# next message goes over a new one.
. "$(dirname "$0")/../lib.sh"
make_home
PORT=$(free_port)
echo ":[127.0.0.2]:$PORT" > "$POSTERN_HOME/control/smtproutes"
printf 'Subject: x\n\nbody\n' > "$T/message"
# A server that adds replies to its answer to the message: on the first connection in the same write, on the second one later.
cat > "$T/talker.py" <<'P'
import socket, sys, time
listening = socket.socket()
listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listening.bind(("127.0.0.2", int(sys.argv[1])))
listening.listen(5)
print("listening", flush=True)
extra = b"250 2.1.0 ok\r\n250 2.1.5 ok\r\n250 2.1.5 ok\r\n354 go\r\n250 2.0.0 stale\r\n"
number = 0
while True:
    connection = listening.accept()[0]
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    number += 1
    print("connect", number, flush=True)
    file = connection.makefile("rb")
    connection.sendall(b"220 hi\r\n")
    while line := file.readline():
        verb = line.strip().upper()
        if verb.startswith(b"EHLO"):
            connection.sendall(b"250-x\r\n250 PIPELINING\r\n")
        elif verb.startswith(b"RCPT") and b"BAD" in verb:
            connection.sendall(b"550 5.1.1 unknown\r\n")
        elif verb == b"DATA":
            connection.sendall(b"354 go\r\n")
            while file.readline() != b".\r\n":
                pass
            if number == 1:
                connection.sendall(b"250 2.0.0 taken\r\n" + extra)
            else:
                connection.sendall(b"250 2.0.0 taken\r\n")
            if number == 2:
                # When the client has the answer and has put the connection aside.
                while sum("|" in reply for reply in open(sys.argv[2])) < 2:
                    time.sleep(0.01)
                connection.sendall(extra)
                print("extra sent", flush=True)
        elif verb == b"QUIT":
            break
        else:
            connection.sendall(b"250 2.0.0 ok\r\n")
    connection.close()
P
touch "$T/out"
start talker python3 "$T/talker.py" "$PORT" "$T/out"
wait_for 30 grep -q listening "$T/talker.log"
start rspawn "$B/postern-bind" rspawn root "$B/postern-rspawn" --serve --workers 1
wait_for 30 test -S "$POSTERN_HOME/run/rspawn"
# One client, one worker. 1: the extra replies come in the same packet as the answer. 2: they come later. 3: is reused as ever.
jobs="x.test s@y.test good@x.test bad@x.test"
python3 "$TESTS/job_row.py" rspawn "$T/message" "$jobs" "$jobs" "until:$T/talker.log:extra sent" "$jobs" "$jobs" >> "$T/out"
said="127.0.0.2[127.0.0.2]:$PORT said:"
expect_equal "$(sort -u "$T/out")" "0 r$said 250 2.0.0 taken|h$said 550 5.1.1 unknown|K$said 250 2.0.0 taken|" "reports"
expect_equal "$(wc -l < "$T/out")" 4 "jobs"
expect_equal "$(grep -c '^connect' "$T/talker.log")" 3 "connections"
