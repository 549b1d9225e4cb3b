"""The mails that the benchmark sends, like those that people send: smtp-source's own lines of X would be read as base64 by a scanner.
All of one kind and size are the same, byte for byte."""

import base64
import os
import random

HEADER = """Received: from desk.client.example (desk.client.example [192.0.2.17])
  by mail.client.example with ESMTP id 4bXyZt; Mon, 02 Jan 2006 15:04:05 +0000
From: A Sender <sender@client.example>
To: Someone <someone@example.org>
Subject: The minutes of our last meeting
Date: Mon, 02 Jan 2006 15:04:05 +0000
Message-ID: <20060102150405.4711@client.example>
MIME-Version: 1.0
"""
TEXT = "Content-Type: text/plain; charset=utf-8\n\n"
MIXED = 'Content-Type: multipart/mixed; boundary="=_4711"\n\n--=_4711\n' + TEXT + "The minutes are attached.\n\n--=_4711\n"
ATTACHMENT = ("Content-Type: application/octet-stream; name=minutes.bin\nContent-Transfer-Encoding: base64\n"
              "Content-Disposition: attachment; filename=minutes.bin\n\n")
MIXED_END = "--=_4711--\n"


def words(chance, size):
    """Lines of words, size bytes."""
    known = ["".join(chance.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(chance.randint(2, 9))) for _ in range(500)]
    lines, length = [], 0
    while length < size:
        lines.append(" ".join(chance.choice(known) for _ in range(10)) + "\n")
        length += len(lines[-1])
    return "".join(lines)[:size - 1] + "\n"


def make_mail(kind, size):
    chance = random.Random(4711)
    if kind == "text":
        return HEADER + TEXT + words(chance, size - len(HEADER + TEXT))
    head = HEADER + MIXED + ATTACHMENT
    content = chance.randbytes((size - len(head + MIXED_END)) // 77 * 57)
    return head + base64.encodebytes(content).decode() + MIXED_END


class Mails:
    """The files of a run, one for each kind and size, as smtp-source -F takes them."""

    def __init__(self, scratch):
        self.directory = os.path.join(scratch, "mails")
        os.mkdir(self.directory, 0o755)

    def file(self, kind, size):
        path = os.path.join(self.directory, f"{kind}-{size}")
        if not os.path.exists(path):
            with open(path, "w", encoding="ascii") as file:
                file.write(make_mail(kind, size))
        return path
