#!/bin/bash
# once: the users do not matter to it
# 1,000 idle TLS connections and 50 clients that do not read: mail comes through, memory stays small, and ends are passed on each way.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/tlsd.sh"
[ "$(ulimit -Hn)" -ge 4096 ] || skip "too few descriptors"
make_tls_instance mx.example.org
echo 1200 > "$POSTERN_HOME/control/concurrencyincoming"
echo 100 > "$POSTERN_HOME/control/stresspercent"
run_instance
ulimit -n 4096
export PYTHONPATH=$TESTS
workers_kib() { local pid sum=0; for pid in $(tlsd_workers); do sum=$((sum + $(sed -n 's/^RssAnon:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$pid/status"))); done; echo $sum; }
before=$(workers_kib)
cat > "$T/many.py" <<'P'
import os, sys, time
from tls_client import connected, context
port, directory = int(sys.argv[1]), sys.argv[2]
tls = context()
idle = [connected(port, tls=tls) for _ in range(1000)]
open(directory + "/idle", "w")
end = time.time() + 120
while not os.path.exists(directory + "/done") and time.time() < end: time.sleep(0.05)
for each in idle[::50]: each.expect("NOOP", "250")
for each in idle: each.close()
P
start many timeout 150 python3 -B "$T/many.py" "$PORT" "$T"
many=$LAST_PID
wait_for 100 test -e "$T/idle"
idle=$(workers_kib)
echo "1,000 idle connections: $(((idle - before) / 1000)) KiB each in tlsd"
[ $(((idle - before) / 1000)) -lt 64 ] || fail "an idle connection takes $(((idle - before) / 1000)) KiB"
python3 -B - "$PORT" <<'P' || fail "see above"
import smtplib, ssl, socket, sys, time
from tls_client import Client, connected, context
port = int(sys.argv[1])
# Who asks and asks and never reads is waited for, not stored.
deaf = []
for _ in range(50):
    c = connected(port)
    c.socket.settimeout(0)
    deaf.append(c)
for c in deaf:
    try:
        while True: c.socket.send(b"RSET\r\n" * 1000)
    except (ssl.SSLWantWriteError, BlockingIOError, ConnectionError, ssl.SSLError):
        pass
for i in range(20):
    s = smtplib.SMTP("127.0.0.1", port, "client.example", 30)
    s.starttls(context=context())
    s.sendmail("a@other.example", ["alice@home.example"], "Subject: %d\r\n\r\nx\r\n" % i)
    s.quit()
# An end is passed on: the client says that it has said all, and still gets every reply.
c = connected(port)
c.send("NOOP\r\n")
assert c.reply()[0].startswith("250")
c.send("MAIL FROM:<a@other.example>\r\nRCPT TO:<alice@home.example>\r\nQUIT\r\n")
plain = c.socket
raw = socket.socket(fileno=socket.dup(plain.fileno()))
raw.shutdown(socket.SHUT_WR)
assert [c.reply()[0][:3] for _ in range(3)] == ["250", "250", "221"]
assert c.ended()
# smtpd's end is told by TLS, so that nobody can have cut the reply short.
c = connected(port)
c.expect("QUIT", "221")
c.socket.suppress_ragged_eofs = False
assert c.socket.recv(10) == b""
P
now=$(workers_kib)
echo "with 50 that do not read: $((now - idle)) KiB more"
[ $((now - idle)) -lt 16384 ] || fail "clients that do not read take $((now - idle)) KiB"
touch "$T/done"
wait "$many" || { cat "$T/many.log"; fail "the idle ones did not go on"; }
no_relays() { [ "$(ls -l /proc/$(tlsd_workers | head -n 1)/fd 2> /dev/null | grep -c socket)" -lt 40 ]; }
wait_for 60 no_relays
