# For tests of the Host Access Table: . "$(dirname "$0")/../lib.sh"; . "$TESTS/hat.sh"

# compile_hat: control/hat and the others as they are.
compile_hat() { "$B/postern-hat" compile > "$T/compile" 2>&1 || { cat "$T/compile"; fail "postern-hat compile"; }; }
# outsiders: only 127.0.0.1 relays by tcprules' environment; what else is on loopback plays hosts of the Internet.
outsiders() {
  printf '%s\n' '127.0.0.1:allow,RELAYCLIENT=""' "$@" ':allow' | tcprules "$POSTERN_HOME/control/tcp.smtp.cdb" "$T/tcp.tmp"
  chmod 644 "$POSTERN_HOME/control/tcp.smtp.cdb"
}
# talk ADDRESS COMMAND…: connects from ADDRESS to $PORT, prints the greeting and the reply to each command, a line each; "closed" and "reset"
# for what ended it.
talk() {
  python3 - "${PORT:?}" "$@" <<'P'
import signal, socket, sys
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
port, address, commands = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
try:
    s = socket.create_connection(("127.0.0.1", port), 30, (address, 0))
    f = s.makefile("rb")
    def reply():
        line = f.readline()
        while line[3:4] == b"-":
            line = f.readline()
        print(line.decode().rstrip("\r\n") if line else "closed", flush=True)
        return line
    if reply():
        for command in commands:
            s.sendall(command.encode() + b"\r\n")
            if not reply():
                break
except ConnectionResetError:
    print("reset")
P
}
