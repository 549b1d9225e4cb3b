#!/bin/bash
# once: the users do not matter to it
# SMTP smuggling outward: nothing in a stored message is taken for its end, not even by a server that takes a bare CR or LF, or
# CRs before an LF, for a line end; neither by DATA nor by BDAT. Each variant reaches a server of each kind of sloppiness as one
# message, and nothing of it becomes a command.
. "$(dirname "$0")/../lib.sh"
make_home
cat > "$T/sloppy.py" <<'P'
# The bytes of a message are read, line ends are made what the way takes for them, and the first line that is a dot alone ends the
# message; what stands behind it would be commands. Prints "connection MESSAGES COMMANDS" of each connection.
import re, socket, sys
ways = {
    "strict": lambda b: b,
    "lf": lambda b: re.sub(rb"\r?\n", b"\r\n", b),
    "cr": lambda b: re.sub(rb"\r\n?|\n", b"\r\n", b),
    "crcrlf": lambda b: re.sub(rb"\r+\n", b"\r\n", b),
    "chunk": lambda b: b,
}
way = ways[sys.argv[2]]
listening = socket.socket()
listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listening.bind(("127.0.0.2", int(sys.argv[1])))
listening.listen(5)
print("listening", flush=True)
while True:
    connection = listening.accept()[0]
    file = connection.makefile("rb")
    say = lambda text: connection.sendall(text.encode() + b"\r\n")
    say("220 hi")
    messages, commands = 0, []
    while line := file.readline():
        verb = line.split()[0].upper() if line.split() else b""
        if verb == b"EHLO":
            say("250-x\r\n250-8BITMIME\r\n250-PIPELINING\r\n250 CHUNKING" if sys.argv[2] == "chunk" else "250-x\r\n250 8BITMIME")
        elif verb == b"DATA":
            say("354 go")
            got = b"\r\n"
            while not got.endswith(b"\r\n.\r\n"):
                got += file.read1(1 << 16)
            at = way(got).find(b"\r\n.\r\n")
            messages += 1
            commands += [part for part in way(got)[at + 5:].split(b"\r\n") if part]
            say("250 2.0.0 taken")
        elif verb == b"BDAT":
            file.read(int(line.split()[1]))
            messages += 1
            say("250 2.0.0 taken")
        elif verb == b"QUIT":
            break
        elif verb in (b"MAIL", b"RCPT"):
            say("250 ok")
        else:
            commands.append(line)
            say("500 what?")
    print("connection", messages, commands, flush=True)
    connection.close()
P
python3 - "$T" <<'P'
import itertools, sys
ends = ["\n", "\r", "\r\n", "\r\r\n", "\0\n", "\r\0\n", " \n", "\t\n", "\v\n", "\r\n\0", "\x85\n", "\n\r", "\r\n "]
smuggled = "MAIL FROM:<evil@y.test>\r\nRCPT TO:<victim@x.test>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n.\r\n"
number = 0
def keep(text):
    global number
    with open("%s/variant.%03d" % (sys.argv[1], number), "w", encoding="latin-1", newline="") as file:
        file.write(text + smuggled)
    number += 1
for before, after in itertools.product(ends, ends):
    keep("Subject: x\n\nhello" + before + "." + after)
# At the borders of the buffers (32768 bytes are read at a time).
for length in range(32760, 32772):
    keep("x" * length + "\n.\r\n")
P
variants=$(find "$T" -name 'variant.*' | wc -l)
expect_equal "$variants" 181 "variants"
for way in strict lf cr crcrlf chunk; do
  PORT=$(free_port)
  echo ":[127.0.0.2]:$PORT" > "$POSTERN_HOME/control/smtproutes"
  start "$way" python3 "$T/sloppy.py" "$PORT" $way
  wait_for 30 grep -q listening "$T/$way.log"
  start "rspawn.$way" "$B/postern-bind" rspawn root "$B/postern-rspawn" --serve --workers 1
  RSPAWN=$LAST_PID
  wait_for 30 test -S "$POSTERN_HOME/run/rspawn"
  # Each variant on a connection of its own: what follows it shows as a command there.
  python3 - "$T" > "$T/reports.$way" <<'P'
import array, glob, os, socket, sys
for name in sorted(glob.glob(sys.argv[1] + "/variant.*")):
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connection.connect(os.environ["POSTERN_HOME"] + "/run/rspawn")
    packet = b"\x01\x03\x00x.test\0s@y.test\0a@x.test\0\0\0"
    with open(name, "rb") as file:
        connection.sendmsg([packet], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [file.fileno()]))])
    print(connection.recv(70000)[1:2].decode())
    connection.close()
P
  expect_equal "$(sort "$T/reports.$way" | uniq -c | tr -s ' ')" " $variants r" "reports of $way"
  all() { [ "$(grep -c '^connection' "$T/$way.log")" = "$variants" ]; }
  wait_for 30 all
  expect_equal "$(grep '^connection' "$T/$way.log" | sort | uniq -c | tr -s ' ')" " $variants connection 1 []" "$way"
  kill "$RSPAWN"
  wait "$RSPAWN" 2> /dev/null
  rm -f "$POSTERN_HOME/run/rspawn"
done
