#!/bin/bash
# postern-lspawn's children: of the mailbox's user alone, asked again for the next message, replaced when they die, gone with
# the connection they were for.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../as_user.sh"

make_home
mkdir "$POSTERN_HOME/users"
echo example.org > "$POSTERN_HOME/control/locals"
make_mailbox u1
printf '=u1:u1:%s:%s:%s:::\n.\n' "$MAILBOX_UID" "$MAILBOX_GID" "$T/u1" > "$POSTERN_HOME/users/assign"
"$B/postern-newu" || fail "postern-newu"
printf 'Subject: x\n\nbody\n' > "$T/message"
start lspawn "$B/postern-bind" lspawn root "$B/postern-lspawn" --serve --workers 1
SERVICE=$LAST_PID
wait_for 30 test -S "$POSTERN_HOME/run/lspawn"

cat > "$T/client" <<'P'
import os, signal, socket, sys, time
path, message, service, uid, gid = sys.argv[1:]
memory = os.memfd_create("message"); os.write(memory, open(message, "rb").read())
c = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); c.settimeout(30); c.connect(path)
def ask():
    socket.send_fds(c, [b"\x01\x02\x00s@example.net\0u1@example.org\0POSTERN_MID=1\0POSTERN_RIDS=0\0\0\0"], [memory])
    reply = c.recv(65536)
    assert reply[:2] == b"\0r", reply
def children(pid):
    return [int(p) for p in open(f"/proc/{pid}/task/{pid}/children").read().split()]
def until(test):
    end = time.monotonic() + 10
    while not test():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)
def status(pid):
    return dict(line.rstrip("\n").split(":\t", 1) for line in open(f"/proc/{pid}/status") if ":\t" in line)
ask()
worker, = children(service)
first, = children(worker)
for _ in range(20): ask()
assert children(worker) == [first], "a child for each message"
if os.getuid() == 0:
    of = status(first)
    assert of["Uid"].split() == [uid] * 4 and of["Gid"].split() == [gid] * 4, of
    assert of["Groups"].split() == [] and int(of["CapEff"], 16) == 0 and int(of["CapPrm"], 16) == 0, of
    assert status(worker)["Uid"].split() == ["0"] * 4
# No descriptor of lspawn's but the socket; nothing that leads to its log.
log = os.stat(f"/proc/{worker}/fd/2")
for fd in os.listdir(f"/proc/{first}/fd"):
    target = os.readlink(f"/proc/{first}/fd/{fd}")
    assert target == "/dev/null" or target.startswith("socket:"), target
assert sum(os.readlink(f"/proc/{first}/fd/{fd}").startswith("socket:") for fd in os.listdir(f"/proc/{first}/fd")) == 1
os.kill(first, signal.SIGKILL)
until(lambda: status(first)["State"].startswith("Z"))
ask()
second, = children(worker)
assert second != first
c.close()
until(lambda: children(worker) == [])
P
python3 "$T/client" "$POSTERN_HOME/run/lspawn" "$T/message" "$SERVICE" "$MAILBOX_UID" "$MAILBOX_GID" || fail "see above; log: $(cat "$T/lspawn.log")"
expect_equal "$(find "$T/u1/Maildir/new" -type f | wc -l)" 22 "files"
