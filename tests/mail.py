#!/usr/bin/env python3
"""Writes a mail to descriptor 1: mail.py KIND FILE

plain: FILE is the body        text: the first part of a multipart, as it stands
base64, quoted, uu: an attachment so encoded
nested: the base64 attachment's mail as message/rfc822 in another, twice"""
import base64, binascii, os, quopri, sys

kind, path = sys.argv[1:3]
data = open(path, "rb").read()
name = os.path.basename(path).encode()
HEAD = b"From: a@example.org\nTo: b@example.net\nSubject: test\nMIME-Version: 1.0\n"

def multipart(*parts):
    boundary = b"b%d" % (len(b"".join(parts)))
    body = b"".join(b"--" + boundary + b"\n" + p + b"\n" for p in parts) + b"--" + boundary + b"--\n"
    return HEAD + b"Content-Type: multipart/mixed; boundary=\"" + boundary + b"\"\n\n" + body

def attachment(encoding, encoded):
    return (b"Content-Type: application/octet-stream; name=\"" + name + b"\"\nContent-Transfer-Encoding: " + encoding +
            b"\nContent-Disposition: attachment; filename=\"" + name + b"\"\n\n" + encoded)

def uu():
    lines = [binascii.b2a_uu(data[i:i + 45]) for i in range(0, len(data), 45)]
    return b"begin 644 " + name + b"\n" + b"".join(lines) + b"`\nend\n"

HELLO = b"Content-Type: text/plain\n\nhello\n"
if kind == "plain":
    mail = b"From: a@example.org\nTo: b@example.net\nSubject: test\n\n" + data
elif kind == "text":
    mail = multipart(b"Content-Type: text/plain\n\n" + data)
elif kind == "quoted":
    mail = multipart(HELLO, attachment(b"quoted-printable", quopri.encodestring(data)))
elif kind == "uu":
    mail = multipart(HELLO, attachment(b"x-uuencode", uu()))
else:
    mail = multipart(HELLO, attachment(b"base64", base64.encodebytes(data)))
    for _ in range(2 if kind == "nested" else 0):
        mail = multipart(HELLO, b"Content-Type: message/rfc822\n\n" + mail)
sys.stdout.buffer.write(mail)
