#!/bin/bash
# A command line of 1 MB, a header line of 1 MB, NUL everywhere, a client that never reads, and others of the kind: a clear
# reply, no crash, and no more memory than for a harmless client.
. "$(dirname "$0")/../lib.sh"
need tcpserver python3
make_home
echo example.org > "$POSTERN_HOME/control/rcpthosts"
echo 2 > "$POSTERN_HOME/control/timeoutsmtpd"
cat > "$T/queue" <<'Q'
#!/bin/sh
exec cat > /dev/null
Q
chmod +x "$T/queue"
export QMAILQUEUE=$T/queue
port=$(free_port)
start smtpd tcpserver -RHl0 127.0.0.1 "$port" "$B/postern-smtpd"
wait_for 30 listening "$port"
highest=$(python3 "$TESTS/hostile-clients.py" 127.0.0.1 "$port" "$POSTERN_HOME" 2> "$T/clients") || fail "$highest $(cat "$T/clients")"
cat "$T/clients"
expect_not_in "$T/smtpd.log" 'Critical:|terminate|out of memory'
[ "$highest" -gt 0 ] || fail "no memory was measured"
# A harmless one takes about 2 MiB, most of it the program itself.
grep -q __asan_init "$B/postern-smtpd" || [ "$highest" -lt 4096 ] || fail "$highest KiB of memory"
