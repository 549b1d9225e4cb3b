#!/bin/bash
# once: the users do not matter to it
# Session tickets: good in every worker and after a crash of one, for two turns of the keys and not longer, and never when they are switched off.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/tlsd.sh"
make_tls_instance mx.example.org b.example
echo 4 > "$POSTERN_HOME/control/concurrencytls"
echo 6 > "$POSTERN_HOME/control/tlsdtickets"
run_instance
export PYTHONPATH=$TESTS
python3 -B - "$PORT" <<'P' || fail "see above"
import ssl, sys, time
from tls_client import connected, context
port = int(sys.argv[1])
for most in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
    tls = context(most=most)
    def once(session, name=None):
        c = connected(port, tls=tls, session=session, name=name)
        got = c.socket.session_reused, c.socket.session
        c.expect("QUIT", "221")
        c.close()
        return got
    reused, first = once(None)
    assert not reused
    # Eight at a time, so that all workers meet it.
    many = [connected(port, tls=tls, session=first) for _ in range(8)]
    assert all(c.socket.session_reused for c in many), [c.socket.session_reused for c in many]
    for c in many: c.close()
    began = time.monotonic()
    while once(first)[0]:
        assert time.monotonic() - began < 30, "a ticket is good for ever"
        time.sleep(0.5)
    print(most, "a ticket was good for %.1f s" % (time.monotonic() - began))
    # A ticket that somebody made up, or changed.
    reused, session = once(None)
P
wait_for 30 logged smtpd 'TLS success protocol TLSv1\.[23] cipher [A-Z0-9_-]+ resumed'
# The key turns by itself: its name is what a ticket begins with.
key_name() { openssl s_client -tls1_2 -connect "127.0.0.1:$PORT" -starttls smtp < /dev/null 2> /dev/null | sed -n '/TLS session ticket:/{n;s/^ *0000 - //;s/   .*//;p}'; }
name=$(key_name)
[ -n "$name" ] || fail "no ticket"
turned() { local now; now=$(key_name); [ -n "$now" ] && [ "$now" != "$name" ]; }
wait_for 30 turned
# Switched off.
echo 0 > "$POSTERN_HOME/control/tlsdtickets"
svc -h "$POSTERN_HOME/service/tlsd"
wait_for 30 logged tlsd 'read the certificates anew: 2 names'
cat > "$T/off.py" <<'P'
import ssl, sys
from tls_client import connected, context
for most in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
    tls = context(most=most)
    c = connected(int(sys.argv[1]), tls=tls)
    session = c.socket.session
    c.expect("QUIT", "221")
    if session is None or not session.has_ticket and most == ssl.TLSVersion.TLSv1_3: continue
    if connected(int(sys.argv[1]), tls=tls, session=session).socket.session_reused: sys.exit("resumed without tickets")
P
off() { python3 -B "$T/off.py" "$PORT"; }
wait_for 30 off
