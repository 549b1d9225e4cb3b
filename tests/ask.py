#!/usr/bin/env python3
"""Asks a resident: ask.py NAME [VAR=VALUE]... [N<FILE | N>FILE]... [-- ARGUMENT...]

The request goes to $POSTERN_HOME/run/NAME, the reply's output to descriptor 1, its exit code is ours;
no reply (the worker ended) is 75. Descriptors are passed as sealed copies when read, as they are when written."""
import array, fcntl, os, re, socket, sys

F_ADD_SEALS, SEALS = 1033, 0x2 | 0x4 | 0x8

def sealed(path):
    fd = os.memfd_create("input", os.MFD_ALLOW_SEALING)
    with open(path, "rb") as f:
        os.write(fd, f.read())
    fcntl.fcntl(fd, F_ADD_SEALS, SEALS)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd

words = sys.argv[2:]
arguments = []
if "--" in words:
    at = words.index("--")
    words, arguments = words[:at], words[at + 1:]
variables, fds, targets = [], [], []
for word in words:
    m = re.fullmatch(r"(\d+)([<>])(.*)", word)
    if m:
        fds.append(sealed(m[3]) if m[2] == "<" else os.open(m[3], os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600))
        targets.append(int(m[1]))
    else:
        variables.append(word)
packet = b"\x01" + len(arguments).to_bytes(2, "little")
packet += b"".join(a.encode() + b"\0" for a in arguments + variables) + b"\0" + bytes(targets)
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.settimeout(30)
s.connect(os.environ["POSTERN_HOME"] + "/run/" + sys.argv[1])
try:
    s.sendmsg([packet], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else [])
    reply = s.recv(70000)
except (BrokenPipeError, ConnectionResetError):
    reply = b""
if not reply:
    sys.exit(75)
sys.stdout.buffer.write(reply[1:])
sys.stdout.flush()
sys.exit(reply[0])
