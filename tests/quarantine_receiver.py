#!/usr/bin/env python3
"""A resident in the scanner's place: quarantine_receiver.py NAME DIR FATE. Keeps each request's variables in DIR/MID.env, and answers 0 and
a line "MID FATE" (several, where FATE has "|"; "" prints nothing; a FATE that is a number is the exit code)."""
import os, socket, sys

name, directory, fates = sys.argv[1:]
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.bind(os.environ["POSTERN_HOME"] + "/run/" + name)
s.listen(8)
while True:
    c, _ = s.accept()
    packet, ancillary, _, _ = c.recvmsg(70000, 4096)
    if not packet: continue
    count = int.from_bytes(packet[1:3], "little")
    variables = [w.decode() for w in packet[3:].split(b"\0")[count:] if b"=" in w]
    mid = next(v.split("=", 1)[1] for v in variables if v.startswith("POSTERN_MID="))
    with open("%s/%s.env" % (directory, mid), "w") as f: f.write("\n".join(variables) + "\n")
    if fates.isdigit():
        c.send(bytes([int(fates)]))
    else:
        lines = "".join("%d %s\n" % (int(mid) + i, fate) for i, fate in enumerate(fates.split("|")) if fate)
        c.send(b"\0" + lines.encode())
    c.close()
