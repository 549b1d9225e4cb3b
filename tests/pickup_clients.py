#!/usr/bin/env python3
"""Connections to run/pickup that ask nothing: pickup_clients.py N FILE. Opens N, writes how many to FILE, and keeps them until it
is ended; one that the other side closes is counted in FILE.closed."""
import os, select, socket, sys

path = os.environ["POSTERN_HOME"] + "/run/pickup"
connections = []
for _ in range(int(sys.argv[1])):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect(path)
    connections.append(s)
open(sys.argv[2], "w").write("%d\n" % len(connections))
closed = 0
while connections:
    for s in select.select(connections, [], [])[0]:
        connections.remove(s)
        closed += 1
    open(sys.argv[2] + ".new", "w").write("%d\n" % closed)
    os.rename(sys.argv[2] + ".new", sys.argv[2] + ".closed")
