#!/bin/bash
# 2,500 questions at once, each on its own connection: a thousand wait for a name server that does not answer, and hold up none of the
# others; all others are answered, and those too once it does; memory stays within bounds. Then more clients than there is room for:
# those that wait in front are answered as others go. An upstream that is gone is a failure in bounded time.
. "$(dirname "$0")/../lib.sh"
make_home
ulimit -n 8192 2> /dev/null || ulimit -n "$(ulimit -Hn)"
[ "$(ulimit -n)" -ge 8192 ] || skip "no 8192 descriptors"
PORT=$(free_port)
start upstream python3 "$TESTS/dns-server.py" 127.0.0.1 "$PORT" "$T/queries"
UPSTREAM=$LAST_PID
wait_for 30 listening "$PORT"
echo "127.0.0.1:$PORT" > "$POSTERN_HOME/control/resolver"
start dnsq "$B/postern-bind" dnsq root "$B/postern-dnsq" --serve
DNSQ=$LAST_PID
wait_for 30 test -S "$POSTERN_HOME/run/dnsq"
cat > "$T/burst.py" <<'P'
# burst.py GO SLOW FAST: asks SLOW + FAST questions; makes the file GO when the fast ones are answered; prints the outcomes of both.
import collections, os, selectors, socket, sys, time
go, slow, fast = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
selector = selectors.DefaultSelector()
def ask(name):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect(os.environ["POSTERN_HOME"] + "/run/dnsq")
    s.send(b"\x01\x02\x00mx\0" + name.encode() + b"\0\0")
    selector.register(s, selectors.EVENT_READ, name)
for i in range(slow):
    ask("slow%d.x.test" % i)
for i in range(fast):
    ask("n%d.x.test" % i)
found = {True: collections.Counter(), False: collections.Counter()}
deadline = time.monotonic() + 60
while sum(sum(c.values()) for c in found.values()) < slow + fast and time.monotonic() < deadline:
    for key, _ in selector.select(1):
        reply = key.fileobj.recv(70000)
        selector.unregister(key.fileobj)
        found[key.data.startswith("slow")][reply.split(b"\n")[0].split(b" ")[-1].decode()] += 1
    if sum(found[False].values()) == fast and not os.path.exists(go):
        # Not one of the others can have been answered rightly by now.
        assert not found[True]["found"], found
        open(go, "w").close()
print("fast", dict(found[False]), "slow", sum(found[True].values()), flush=True)
P
python3 "$T/burst.py" "$T/queries.go" 1000 1500 > "$T/out" || fail "$(tail -n 3 "$T/out")"
expect_equal "$(cat "$T/out")" "fast {'found': 1500} slow 1000"
memory=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$DNSQ/status")
echo "2,500 questions at once: $memory kB"
[ "$memory" -lt 150000 ] || fail "$memory kB"
# All of them once more are in the cache, but for those that had failed.
before=$(grep -c ' n[0-9]' "$T/queries")
python3 "$T/burst.py" "$T/none.go" 0 1500 > "$T/out"
expect_equal "$(cat "$T/out")" "fast {'found': 1500} slow 0"
expect_equal "$(grep -c ' n[0-9]' "$T/queries")" "$before" "queries for what is known"
expect_not_in "$T/dnsq.log" .
kill "$DNSQ"; wait "$DNSQ" 2> /dev/null

# Few descriptors: room for 64 connections; 300 clients, each with one question after the other.
rm -f "$POSTERN_HOME/run/dnsq"
(ulimit -n 400; exec "$B/postern-bind" dnsq root "$B/postern-dnsq" --serve >> "$T/few.log" 2>&1) &
FEW=$!
wait_for 30 test -S "$POSTERN_HOME/run/dnsq"
python3 - > "$T/out" <<'P'
import os, socket, threading
answered = []
def client(number):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect(os.environ["POSTERN_HOME"] + "/run/dnsq")
    for i in range(3):
        s.send(b"\x01\x02\x00mx\0m%d.x.test\0\0" % (number * 3 + i))
        answered.append(s.recv(70000).split(b"\n")[0].endswith(b" found"))
    s.close()
threads = [threading.Thread(target=client, args=(n,)) for n in range(300)]
[t.start() for t in threads]
[t.join() for t in threads]
print(len(answered), all(answered))
P
expect_equal "$(cat "$T/out")" "900 True" "clients that wait in front"
expect_not_in "$T/few.log" .
# The upstream goes: what is known is answered, all else fails, in time.
kill "$UPSTREAM"; wait "$UPSTREAM" 2> /dev/null
ask() { timeout 35 python3 "$TESTS/ask.py" dnsq -- "$@" | head -n 1; }
expect_equal "$(ask mx m1.x.test)" "answer mx m1.x.test found" "from the cache"
expect_equal "$(ask mx new.x.test)" "answer mx new.x.test failed" "an upstream that is gone"
kill "$FEW"
