#!/bin/bash
# A request over a limit or of a broken form gets no reply (which is temporary), costs no worker and leaks no descriptor.
. "$(dirname "$0")/../lib.sh"
need python3 tcpserver
make_own_instance
cat > "$T/count" <<'C'
#!/bin/sh
echo "$# arguments, $(env | grep -c '^POSTERN_N') variables, descriptors$(for n in 0 3 4 5 6 7 8 9; do [ -e /proc/self/fd/$n ] && [ "$(readlink /proc/self/fd/$n)" != /dev/null ] && printf ' %s' $n; done)"
[ "$1" = chatter ] && head -c 70000 /dev/zero
exit 7
C
chmod +x "$T/count"
start count "$B/postern-serve" --workers 1 run/count "$T/count"
wait_for 30 test -S "$POSTERN_HOME/run/count"
cat > "$T/client.py" <<'P'
import array, os, socket, sys
PATH = os.environ["POSTERN_HOME"] + "/run/count"
FILE = os.open("/proc/self/exe", os.O_RDONLY)

def connect():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(20)
    s.connect(PATH)
    return s

def packet(arguments=(), variables=(), targets=(), version=1, count=None):
    count = len(arguments) if count is None else count
    return (bytes([version]) + count.to_bytes(2, "little") + b"".join(a + b"\0" for a in arguments) +
            b"".join(v + b"\0" for v in variables) + b"\0" + bytes(targets))

def ask(s, bytes_, descriptors=0):
    s.sendmsg([bytes_], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [FILE] * descriptors))] if descriptors else [])
    return s.recv(70000)

def refused(what, bytes_, descriptors=0):
    s = connect()
    try:
        reply = ask(s, bytes_, descriptors)
    except ConnectionResetError:
        reply = b""
    assert reply == b"", "%s was answered: %r" % (what, reply[:100])
    s.close()

def answered(what, expected, bytes_, descriptors=0):
    s = connect()
    reply = ask(s, bytes_, descriptors)
    assert reply == b"\x07" + expected, "%s: %r" % (what, reply[:200])
    s.close()

def big(total):
    head = packet()
    name = b"POSTERN_N1="
    return packet(variables=[name + b"x" * (total - len(head) - len(name) - 1)])

for _ in range(20 if len(sys.argv) > 1 else 1):
    refused("another version", packet(version=2))
    refused("an empty rest", b"\x01\x00\x00")
    refused("an argument cut short", b"\x01\x01\x00abc")
    refused("more arguments than there are", packet([b"a"], count=60000))
    refused("a variable without '='", packet(variables=[b"POSTERN_N"]))
    refused("a variable without a name", packet(variables=[b"=x"]))
    refused("no end of the variables", b"\x01\x00\x00A=b\0")
    refused("a descriptor missing", packet(targets=[0, 3]), 1)
    refused("all descriptors missing", packet(targets=[0]), 0)
    refused("a descriptor too many", packet(targets=[0]), 2)
    refused("nine descriptors", packet(targets=range(9)), 9)
    refused("200 descriptors", packet(targets=[0] * 200), 200)
    refused("more than 64 KiB", big(65546))
    refused("100 KB", big(100000))
answered("nothing", b"0 arguments, 0 variables, descriptors\n", packet())
answered("two arguments", b"2 arguments, 1 variables, descriptors 0 3\n", packet([b"a", b"b"], [b"POSTERN_N1=x"], [0, 3]), 2)
# Descriptors 1 and 2 are the script's own output and log.
answered("as many as there may be", b"0 arguments, 0 variables, descriptors 0 3 4 5 6 7 8 9\n", packet(targets=[0, 3, 4, 5, 6, 7, 8, 9]), 8)
s = connect()
for i in range(5):
    reply = ask(s, packet([b"a"] * i))
    assert reply.startswith(b"\x07%d arguments" % i), reply
s.close()
s = connect()
reply = ask(s, packet([b"chatter"]))
assert reply == b"\x6f", "an answer of 70 KB: %r" % reply[:100]
print("done")
P
worker() { pgrep -P "$SERVER"; }
SERVER=$LAST_PID
wait_for 30 worker
python3 "$T/client.py" || { cat "$T/count.log"; fail "see above"; }
one=$(worker) before=$(ls "/proc/$(worker)/fd" | wc -l)
python3 "$T/client.py" many || fail "see above, many times"
expect_equal "$(worker)" "$one" "the worker is the same"
expect_equal "$(ls "/proc/$one/fd" | wc -l)" "$before" "its descriptors"
expect_in "$T/count.log" 'unable to answer a request: read a request: descriptors are missing'
expect_in "$T/count.log" 'unable to answer a request: read a request: it is over 64 KiB'
expect_in "$T/count.log" 'printed more than 64 KiB'

# Over the limit is the same in both forms, and said before anything is sent: a client sees 451.
big=$(printf '%070000d' 0)
for program in @count "$T/count"; do
  printf 'EHLO c.example\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@mx.example.org>\r\nDATA\r\nSubject: x\r\n.\r\nQUIT\r\n' |
    RELAYCLIENT='' QMAILQUEUE=$program POSTERN_N1=$big "$B/postern-smtpd" > "$T/out" 2> "$T/log"
  expect_in "$T/out" '^451 4\.3\.0 '
  expect_in "$T/log" 'arguments and environment are over 64 KiB'
done
