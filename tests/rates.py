#!/usr/bin/env python3
"""Asks postern-rated on $POSTERN_HOME/run/rated: rates.py VERB...

take NAME KEY SECONDS LIMIT TIMES   that many questions on one connection; prints how many passed
hold NAME KEY LIMIT FILE            takes a place, makes FILE ("held" or "refused" in it) and keeps the place until it is killed
many NUMBER LIMIT                   that many connections at once, each a place of its own key of the same NAME; prints how many were refused,
                                    and how many places of one key were given to twice as many as its limit"""
import os, resource, signal, socket, sys


def connect():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect(os.environ["POSTERN_HOME"] + "/run/rated")
    s.settimeout(30)
    return s


def ask(s, *checks):
    words = ["ask"] + [str(word) for check in checks for word in check]
    s.send(b"\x01" + len(words).to_bytes(2, "little") + b"".join(w.encode() + b"\0" for w in words) + b"\0")
    reply = s.recv(70000)
    if not reply or reply[0] != 0:
        sys.exit("no answer: %r" % reply)
    return reply[1:].decode().split()[0] == "ok"


verb, words = sys.argv[1], sys.argv[2:]
if verb == "take":
    s = connect()
    print(sum(ask(s, ["take"] + words[:4]) for _ in range(int(words[4]))))
elif verb == "hold":
    s = connect()
    held = ask(s, ["slot", words[0], words[1], 0, words[2]])
    with open(words[3] + ".new", "w") as f:
        f.write("held" if held else "refused")
    os.rename(words[3] + ".new", words[3])
    signal.pause()
elif verb == "many":
    number, limit = int(words[0]), int(words[1])
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    sockets = [connect() for _ in range(number)]
    print(sum(not ask(s, ["slot", "many", i, 0, 1]) for i, s in enumerate(sockets)))
    print(sum(ask(s, ["slot", "one", "k", 0, limit]) for s in sockets[:2 * limit]))
