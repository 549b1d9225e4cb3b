#!/usr/bin/env python3
"""Plays SMTP dialogues against a server: dialogue.py [--store DIR] HOST PORT SCRIPT, or --all HOMES PORT,... SCRIPT...

A script is lines:
  C: text      send text and CR LF            R: text      send text as it is
  C*20: text   the same, 20 times             R*20: text
  split        what was said so far goes out as a packet of its own, before the rest
  pause N      the same, and N milliseconds pass
  S: regex     the next whole reply (its lines joined by LF) must match from its beginning
  silence      no reply comes for a moment
  eof          the server closes, without another reply
  close        we close; what stands behind it is only about the store
  repeat N     the lines up to "end", N times
  Q: N         so many messages are stored now
  M: regex     the last stored message has it         M! regex   and does not have it
  E: regex     its envelope has it, NUL shown as |
Escapes in what is sent: \\r \\n \\0 \\xHH \\\\. What is said without a split or an expectation between goes out in one packet.
Lines that begin with # and empty ones are comments; "control NAME VALUE", "table NAME" and
"env NAME=VALUE" are obeyed with --all.
"""
import concurrent.futures
import os
import queue
import re
import shutil
import socket
import subprocess
import sys
import time

SECONDS = 20


class Mismatch(Exception):
    pass


def unescape(text):
    codes = {"r": "\r", "n": "\n", "0": "\0", "\\": "\\"}
    plain = re.sub(r"\\(x[0-9a-fA-F]{2}|[rn0\\])",
                   lambda m: chr(int(m[1][1:], 16)) if m[1][0] == "x" else codes[m[1]], text)
    return plain.encode("latin-1")


class Player:
    def __init__(self, host, port, store):
        self.address = (host, int(port))
        self.socket = None
        self.store = store
        self.pending = b""
        self.came = b""

    def say(self, text):
        self.pending += text

    def send(self):
        if self.socket is None:
            self.socket = socket.create_connection(self.address, SECONDS)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.pending:
            self.socket.sendall(self.pending)
            self.pending = b""

    def line(self):
        while b"\n" not in self.came:
            more = self.socket.recv(65536)
            if not more:
                raise Mismatch("the server closed; still had %r" % self.came)
            self.came += more
        line, self.came = self.came.split(b"\n", 1)
        if not line.endswith(b"\r"):
            raise Mismatch("a reply line ends without CR: %r" % line)
        return line[:-1].decode("latin-1")

    def reply(self):
        self.send()
        lines = [self.line()]
        while lines[-1][3:4] == "-":
            lines.append(self.line())
        for line in lines:
            if not re.match(r"[2-5][0-9][0-9][ -]", line) or line[:3] != lines[0][:3]:
                raise Mismatch("not a reply: %r" % lines)
        return "\n".join(lines)

    def expect(self, regex):
        reply = self.reply()
        if not re.match(regex, reply):
            raise Mismatch("the reply was %r" % reply)

    def silence(self):
        self.send()
        self.socket.settimeout(0.15)
        try:
            more = self.socket.recv(65536)
            raise Mismatch("no silence, but %r" % more)
        except socket.timeout:
            self.socket.settimeout(SECONDS)

    def eof(self):
        self.send()
        more = self.came or self.socket.recv(65536)
        if more:
            raise Mismatch("no end, but %r" % more)

    def close(self):
        self.send()
        self.socket.close()

    # The store: files MID.message and MID.envelope.
    def stored(self, kind):
        names = sorted(n for n in os.listdir(self.store) if n.endswith("." + kind))
        return [os.path.join(self.store, n) for n in names]

    def last(self, kind):
        files = self.stored(kind)
        if not files:
            raise Mismatch("nothing is stored")
        with open(files[-1], "rb") as file:
            return file.read().decode("latin-1").replace("\0", "|" if kind == "envelope" else "\0")

    def step(self, line):
        if m := re.fullmatch(r"([CR])(?:\*(\d+))?: ?(.*)", line):
            self.say((unescape(m[3]) + (b"\r\n" if m[1] == "C" else b"")) * int(m[2] or 1))
        elif line.startswith("S: "):
            self.expect(line[3:])
        elif line == "split" or line.startswith("pause "):
            self.send()
            time.sleep(0.02 if line == "split" else int(line[6:]) / 1000)
        elif line in ("silence", "eof", "close"):
            getattr(self, line)()
        elif line.startswith("Q: "):
            count = len(self.stored("message"))
            if count != int(line[3:]):
                raise Mismatch("%d messages are stored" % count)
        elif line.startswith(("M: ", "M! ", "E: ")):
            text = self.last("envelope" if line[0] == "E" else "message")
            if (re.search(line[3:], text) is not None) != (line[1] == ":"):
                raise Mismatch("it is %r" % text)
        elif not line.startswith(("control ", "env ", "table ")):
            raise Mismatch("not a line of a dialogue")


def flatten(lines):
    """Numbers the lines, and writes repeats out."""
    steps, repeat, begin = [], 0, 0
    for number, line in enumerate(lines, 1):
        line = line.rstrip("\n")
        if line.startswith("repeat "):
            repeat, begin = int(line[7:]), len(steps)
        elif line == "end":
            steps += steps[begin:] * (repeat - 1)
        elif line and not line.startswith("#"):
            steps.append((number, line))
    return steps


def prepare(home, script):
    """A home with the settings that the script's head asks for."""
    shutil.rmtree(home, ignore_errors=True)
    for name in ("control", "store", "run"):
        os.makedirs(os.path.join(home, name))
    settings = {"me": "mx.example.org", "rcpthosts": "example.org"}
    tables, variables = [], ""
    with open(script, encoding="utf-8") as lines:
        for line in lines:
            kind, _, rest = line.rstrip("\n").partition(" ")
            if kind == "control":
                name, _, value = rest.partition(" ")
                settings[name] = value
            elif kind == "table":
                tables.append(rest)
            elif kind == "env":
                variables += "export %s\n" % rest
    for name, value in settings.items():
        if value != "-":
            with open(os.path.join(home, "control", name), "wb") as file:
                file.write(unescape(value) + b"\n")
    with open(os.path.join(home, "environment"), "w", encoding="ascii") as file:
        file.write(variables)
    for table in tables:
        subprocess.run([os.environ["POSTERN_BIN"] + "/postern-cdbmake", table], check=True,
                       env={"POSTERN_HOME": home})


def play(host, port, store, path):
    """What went wrong, or None."""
    with open(path, encoding="utf-8") as script:
        steps = flatten(script)
    player = Player(host, port, store)
    try:
        for number, line in steps:
            try:
                player.step(line)
            except (Mismatch, OSError) as problem:
                return "%s:%d: %s\n    %s" % (path, number, line, problem)
    finally:
        if player.socket is not None:
            player.socket.close()
    return None


def play_all(homes, ports, scripts):
    """Each port's server has the home HOMES/PORT; the scripts are dealt out as servers get free."""
    free = queue.SimpleQueue()
    for port in ports:
        free.put(port)

    def one(script):
        port = free.get()
        home = os.path.join(homes, port)
        prepare(home, script)
        problem = play("127.0.0.1", port, os.path.join(home, "store"), script)
        free.put(port)
        return problem

    with concurrent.futures.ThreadPoolExecutor(len(ports)) as pool:
        problems = [problem for problem in pool.map(one, scripts) if problem]
    print("\n".join(problems + ["%d dialogues, %d failed" % (len(scripts), len(problems))]))
    return 1 if problems else 0


def main(arguments):
    if arguments[:1] == ["--all"]:
        return play_all(arguments[1], arguments[2].split(","), arguments[3:])
    store = None
    if arguments[:1] == ["--store"]:
        store, arguments = arguments[1], arguments[2:]
    host, port, path = arguments
    problem = play(host, port, store, path)
    if problem:
        print(problem)
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
