#!/bin/bash
# A server whose BDAT does not work is connected to anew, and that connection has to be what the policy wants too: where it offers no
# TLS any more it gets nothing, neither of this message nor of the next one of the same worker.
# once: the users do not matter to it
. "$(dirname "$0")/../lib.sh"
. "$TESTS/tls.sh"
make_tls_home
printf '%s\n' "postern-dnsq --dns $T/dns" > "$POSTERN_HOME/control/dnsq"
cat > "$T/server.py" <<'PY'
# Offers CHUNKING and STARTTLS on the first connection alone: server.py PORT CERTIFICATE LOG
import socket, ssl, sys
log = open(sys.argv[3], "a", buffering=1)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2])
listening = socket.create_server(("127.0.0.2", int(sys.argv[1])))
log.write("listening\n")
first = True
while True:
    c = listening.accept()[0]
    lines, how = c.makefile("rb"), "plain"
    c.sendall(b"220 sink\r\n")
    while line := lines.readline():
        words = line.decode().split()
        verb = words[0].upper() if words else ""
        log.write("%s %s\n" % (how, verb))
        if verb == "EHLO":
            c.sendall(b"250-sink\r\n250-PIPELINING\r\n250-CHUNKING\r\n" + (b"250-STARTTLS\r\n" if how == "plain" else b"") + b"250 HELP\r\n" if first else b"250 sink\r\n")
        elif verb == "STARTTLS":
            c.sendall(b"220 go on\r\n")
            c = context.wrap_socket(c, server_side=True)
            lines, how = c.makefile("rb"), "tls"
        elif verb == "BDAT":
            lines.read(int(words[1]))
            c.sendall(b"500 5.5.1 what?\r\n")
        elif verb == "DATA":
            c.sendall(b"354 go on\r\n")
            while lines.readline() not in (b".\r\n", b""): pass
            c.sendall(b"250 2.0.0 taken\r\n")
        elif verb == "QUIT": break
        else: c.sendall(b"250 2.0.0 ok\r\n")
    c.close()
    first = False
PY
SERVER= RSPAWN=
for demand in table_tls=encrypt table_tls=verify table_tls=may; do
  # A new worker too: the old one knows the server's BDAT.
  [ -n "$SERVER" ] && { kill "$SERVER" "$RSPAWN"; wait "$SERVER" "$RSPAWN" 2> /dev/null; rm "$POSTERN_HOME/run/rspawn"; }
  start rspawn "$B/postern-bind" rspawn root "$B/postern-rspawn" --serve --workers 1
  RSPAWN=$LAST_PID
  wait_for 30 test -S "$POSTERN_HOME/run/rspawn"
  : > "$T/seen"
  start server python3 "$T/server.py" "$PORT" "$T/right.pem" "$T/seen"
  SERVER=$LAST_PID
  wait_for 30 grep -q listening "$T/seen"
  level $demand
  python3 "$TESTS/job_row.py" rspawn "$T/message" POSTERN_MID=1 "x.test s@z.test a@x.test" "x.test s@z.test a@x.test" > "$T/out"
  expect_in "$T/seen" '^tls BDAT$'
  if [ $demand = table_tls=may ]; then
    expect_in "$T/seen" '^plain DATA$'  # so that the server is known to take what comes
  else
    expect_not_in "$T/seen" '^plain (MAIL|RCPT|DATA)$'
    expect_not_in "$T/out" '\|K'
  fi
done
