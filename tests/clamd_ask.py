"""Speaks clamd's protocol: clamd_ask.py SOCKET n|z|plain [--session] COMMAND | --stream FILE | --fd FILE ...

Prints the replies, a line each; of a descriptor's its number is left out.
"""
import array
import re
import socket
import struct
import sys

path, form, words = sys.argv[1], sys.argv[2], sys.argv[3:]
prefix = {"n": b"n", "z": b"z", "plain": b""}[form]
end = b"\0" if form == "z" else b"\n"
client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
client.settimeout(20)
client.connect(path)


def say(command):
    client.sendall(prefix + command.encode() + end)


session = words[:1] == ["--session"]
if session:
    words = words[1:]
    say("IDSESSION")
while words:
    word = words.pop(0)
    if word == "--stream":
        say("INSTREAM")
        with open(words.pop(0), "rb") as file:
            content = file.read()
        try:
            for at in range(0, len(content), 5000):
                chunk = content[at:at + 5000]
                client.sendall(struct.pack(">I", len(chunk)) + chunk)
            client.sendall(struct.pack(">I", 0))
        except (BrokenPipeError, ConnectionResetError):
            pass
    elif word == "--fd":
        say("FILDES")
        with open(words.pop(0), "rb") as file:
            fds = array.array("i", [file.fileno()])
            client.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
    else:
        say(word)
if session:
    say("END")
reply = b""
try:
    while True:
        block = client.recv(65536)
        if not block:
            break
        reply += block
except ConnectionResetError:
    pass
text = reply.replace(b"\0", b"\n").decode(errors="replace")
sys.stdout.write(re.sub(r"fd\[\d+\]", "fd", text))
sys.exit(0 if text else 1)
