#!/usr/bin/env python3
"""Gives jobs to a delivery resident over one connection: job_row.py NAME MESSAGE [VAR=VALUE]... [JOB | until:FILE:TEXT]...

A JOB is one word with its arguments separated by blanks ("x.test s@y.test a@x.test"); MESSAGE is its descriptor 0. "until" waits
for the file to hold the text. Each reply is printed as a line: exit code, a blank, the output with | for NUL."""
import array, os, re, socket, sys, time

name, message, words = sys.argv[1], sys.argv[2], sys.argv[3:]
variables = [w for w in words if re.fullmatch(r"[A-Z_]+=.*", w)]
connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
connection.settimeout(30)
connection.connect(os.environ["POSTERN_HOME"] + "/run/" + name)
for word in words:
    if word in variables:
        continue
    if word.startswith("until:"):
        _, path, text = word.split(":", 2)
        end = time.monotonic() + 20
        while text not in open(path).read():
            if time.monotonic() > end:
                sys.exit("waited for %s in %s" % (text, path))
            time.sleep(0.02)
        continue
    arguments = word.split(" ")
    packet = b"\x01" + len(arguments).to_bytes(2, "little")
    packet += b"".join(a.encode() + b"\0" for a in arguments + variables) + b"\0" + bytes([0])
    with open(message, "rb") as file:
        connection.sendmsg([packet], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [file.fileno()]))])
    reply = connection.recv(70000)
    print(reply[0] if reply else "no reply", reply[1:].decode("latin-1").replace("\0", "|"), flush=True)
