#!/usr/bin/env python3
"""Speaks to run/lspawn as send does: lspawn_ask.py SOCKET MESSAGE-FILE MID SENDER RECIPIENT..., all recipients at once, each on
a connection of its own. Prints RECIPIENT, the exit code and the reports with NUL shown as |, a line each, in order."""
import os, socket, sys

path, message, mid, sender = sys.argv[1:5]
memory = os.memfd_create("message", os.MFD_CLOEXEC)
os.write(memory, open(message, "rb").read())
connections = []
for rid, recipient in enumerate(sys.argv[5:]):
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connection.settimeout(30)
    connection.connect(path)
    packet = b"\x01\x02\x00" + b"\0".join(
        x.encode() for x in (sender, recipient, f"POSTERN_MID={mid}", f"POSTERN_RIDS={rid}", "", "")) [:-1] + b"\0" + b"\0"
    socket.send_fds(connection, [packet], [memory])
    connections.append((recipient, connection))
for recipient, connection in connections:
    reply = connection.recv(65536)
    print(recipient, reply[0] if reply else "nothing", reply[1:].replace(b"\0", b"|").decode())
