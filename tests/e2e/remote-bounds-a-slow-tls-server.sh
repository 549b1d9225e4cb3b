#!/bin/bash
# TLS gives a server no more time than plain SMTP: neither a handshake that comes byte by byte nor records without end that carry
# nothing keep a delivery beyond its timeouts.
# once: the users do not matter to it
. "$(dirname "$0")/../lib.sh"
. "$TESTS/tls.sh"
make_tls_home
level table_tls=encrypt
echo 2 > "$POSTERN_HOME/control/timeoutremote"
cat > "$T/server.py" <<'PY'
# server.py PORT drip, or server.py PORT TLS-PORT: STARTTLS, then a handshake that does not end, or what listens on the other port
import socket, sys, threading, time
listening = socket.create_server(("127.0.0.2", int(sys.argv[1])))
def pump(one, other):
    try:
        while data := one.recv(4096): other.sendall(data)
    except OSError: pass
def serve(c):
    lines = c.makefile("rb", buffering=0)
    try:
        c.sendall(b"220 slow\r\n"); lines.readline()
        c.sendall(b"250-slow\r\n250 STARTTLS\r\n"); lines.readline()
        c.sendall(b"220 go on\r\n")
        if sys.argv[2] == "drip":
            c.sendall(bytes([0x16, 3, 3, 0x40, 0, 2, 0, 0x3f, 0xfc]))  # a ServerHello of 16 KiB
            for _ in range(600): c.sendall(b"\0"); time.sleep(0.5)
        else:
            inner = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
            threading.Thread(target=pump, args=(inner, c), daemon=True).start()
            pump(c, inner)
    except OSError: pass
    c.close()
while True: threading.Thread(target=serve, args=(listening.accept()[0],), daemon=True).start()
PY
slow() { # WHAT STATUS: the delivery ends by itself
  start "server$1" python3 "$T/server.py" "$PORT" "$1"
  local server=$LAST_PID
  wait_for 30 listening "$PORT" 127.0.0.2
  timeout 60 "$B/postern-remote" --dns "$T/dns" x.test s@y.test a@x.test < "$T/message" > "$T/out" 2>> "$T/log" || fail "no end of it: $1"
  expect_in "$T/out" "^s.*$2"
  kill "$server"
  wait "$server" 2> /dev/null
}
slow drip '4\.7\.5 TLS to .* timed out'
# openssl sends a KeyUpdate for each line K of its input.
P=$(free_port)
mkfifo "$T/keys"
key_updates() {
  wait_for 30 grep -q '^CIPHER' "$T/keys.log"  # the handshake is done
  for _ in $(seq 600); do echo K || return; sleep 0.3; done
}
key_updates > "$T/keys" 2> /dev/null &
KEYS=$!
start keys bash -c 'exec openssl s_server -accept "$1" -cert "$2.crt" -key "$2.key" -tls1_3 < "$3"' - "127.0.0.1:$P" "$T/right" "$T/keys"
wait_for 30 listening "$P" 127.0.0.1
slow "$P" '4\.4\.2 read the reply to EHLO from .* timed out'
expect_in "$T/log" 'DCID'
kill "$KEYS"
