#!/bin/bash
# once: the users do not matter to it
# The resident form: what one client has asked is answered to the next from the cache, with the time left, though the
# name server is gone; many clients at once; a reload forgets; SIGTERM ends it.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../nsd.sh"
make_home
zone example.test <<'Z'
@ MX 10 mx1
mx1 A 127.0.0.2
slow TXT "x"
Z
start_nsd
echo "$DNS" > "$POSTERN_HOME/control/resolver"
start dnsq "$B/postern-bind" dnsq root "$B/postern-dnsq" --serve
DNSQ=$LAST_PID
wait_for 30 test -S "$POSTERN_HOME/run/dnsq"
ask() { python3 "$TESTS/ask.py" dnsq -- "$@"; }

ask mx example.test > "$T/first" || fail "exit code $?"
expect_in "$T/first" '^data 127.0.0.2$'
kill "$NSD"
wait "$NSD" 2>/dev/null
for n in 1 2 3 4 5 6 7 8; do ask mx example.test > "$T/again.$n" & PIDS="${PIDS:-} $!"; done
for pid in $PIDS; do wait "$pid" || fail "a question at the same time as others"; done
for n in 1 2 3 4 5 6 7 8; do
  expect_equal "$(sed 's/secure [0-9]*/secure/' "$T/again.$n")" "$(sed 's/secure [0-9]*/secure/' "$T/first")" "from the cache"
done
ask txt slow.example.test > "$T/out"
expect_equal $? 111 "what was never asked, without the server"
# What is no question, and a broken request, concern nobody else.
ask nope example.test > "$T/out"
expect_equal $? 100 "no question"
python3 - <<'P'
import os, socket
for packet in (b"x", b"\x01\x05\x00mx\0", b"\x01\xff\xff", b"\0" * 60000):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect(os.environ["POSTERN_HOME"] + "/run/dnsq")
    s.send(packet)
    assert s.recv(10) == b"", packet
P
ask mx example.test > "$T/out" || fail "after broken requests: exit code $?"
# A client that goes without waiting for its answer.
python3 - <<'P'
import os, socket
for _ in range(50):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect(os.environ["POSTERN_HOME"] + "/run/dnsq")
    s.send(b"\x01\x02\x00txt\0never.example.test\0\0")
    s.close()
P
ask mx example.test > "$T/out" || fail "after clients that went: exit code $?"
# A reload that cannot be done leaves the cache; one that can begins with an empty one.
echo nonsense > "$POSTERN_HOME/control/resolver"
kill -HUP "$DNSQ"
wait_for 30 grep -q 'unable to reload' "$T/dnsq.log"
ask mx example.test > "$T/out" || fail "after a failed reload: exit code $?"
echo "$DNS" > "$POSTERN_HOME/control/resolver"
kill -HUP "$DNSQ"
forgotten() { ! ask mx example.test; }
wait_for 30 forgotten
kill "$DNSQ"
ended() { ! kill -0 "$DNSQ"; }
wait_for 30 ended
