#!/usr/bin/env python3
"""Tries to smuggle a second message past smtpd: smuggling.py HOST PORT

Whatever somebody may take for an end of data, but CR LF . CR LF, is put into a message, with the commands for a second
message behind it; at the beginning of the data and in their midst, in one packet and byte by byte, behind DATA and in a
chunk of BDAT. Prints how many were tried and how many were accepted: each attempt must get one answer and no more.
"""
import itertools
import socket
import sys

END = b"\r\n.\r\n"
BEFORE = [b"", b"\r\n", b"\n", b"\r", b"\n\r", b"\r\r\n", b"\r\n\n", b"\r\0\n", b"\0\r\n", b"\n\n", b"\r\r", b"\r\n\0",
          b"\r\n\t", b"\r\n ", b"\x0b", b"\x0c", b"\x85", b"\xe2\x80\xa8"]
AFTER = [b"\r\n", b"\n", b"\r", b"\n\r", b"\r\r\n", b"\n\n", b"\r\0\n", b"\0\r\n", b" \r\n", b"\t\r\n", b"\0\n", b"\r\r",
         b"\x0b", b"\x0c", b"\x85", b"\xe2\x80\xa8", b"\r\n\0"]
SECOND = (b"MAIL FROM:<smuggled@client.example>\r\nRCPT TO:<a@example.org>\r\nDATA\r\n"
          b"Subject: smuggled\r\n\r\nsmuggled")


class Client:
    def __init__(self, host, port):
        self.socket = socket.create_connection((host, int(port)), 30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.came = b""

    def line(self):
        while b"\n" not in self.came:
            more = self.socket.recv(65536)
            if not more:
                sys.exit("the server closed")
            self.came += more
        line, self.came = self.came.split(b"\n", 1)
        return line

    def reply(self):
        while True:
            line = self.line()
            if line[3:4] == b" ":
                return line.decode("latin-1")

    def expect(self, code):
        reply = self.reply()
        if not reply.startswith(code):
            sys.exit("instead of %s: %s" % (code, reply))


def variants():
    for before, after in itertools.product(BEFORE, AFTER):
        dot = before + b"." + after
        if END not in b"x" + dot + b"x" and not dot.endswith(END[:4]):
            yield dot


def attempt(client, text, pieces, chunked):
    """The reply to one message that holds `text`."""
    client.socket.sendall(b"MAIL FROM:<s@client.example>\r\nRCPT TO:<a@example.org>\r\n")
    client.expect("250")
    client.expect("250")
    if chunked:
        client.socket.sendall(b"BDAT %d LAST\r\n" % len(text) + text + b"RSET\r\n")
    else:
        client.socket.sendall(b"DATA\r\n")
        client.expect("354")
        text += END + b"RSET\r\n"
        for piece in [text[i:i + 1] for i in range(len(text))] if pieces else [text]:
            client.socket.sendall(piece)
    reply = client.reply()
    # A second message would have brought its own replies here.
    client.expect("250 2.0.0 flushed")
    return reply


def main(host, port):
    client = Client(host, port)
    client.expect("220")
    client.socket.sendall(b"EHLO client.example\r\n")
    client.expect("250")
    tried = accepted = 0
    for dot in variants():
        starts = [b"Subject: first\r\n\r\nfirst"]
        # The line end of DATA itself is the first half of an end of data.
        if not (b"\r\n" + dot).startswith(END):
            starts.append(b"")
        for start in starts:
            for way in ["whole", "pieces", "chunk"]:
                if way == "pieces" and not start:
                    continue
                reply = attempt(client, start + dot + SECOND, way == "pieces", way == "chunk")
                tried += 1
                accepted += reply.startswith("250")
                if not reply.startswith(("250 2.0.0 ok", "554 5.6.0")):
                    sys.exit("%r: %s" % (dot, reply))
    client.socket.sendall(b"QUIT\r\n")
    client.expect("221")
    print("%d tried, %d accepted" % (tried, accepted))


main(*sys.argv[1:])
