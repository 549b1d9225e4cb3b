#!/usr/bin/python3
"""A submission client for tests: auth.py login|smtplib|salt|send PORT ..."""
import base64
import smtplib
import socket
import sys

HOST = "127.0.0.1"


class Connection:
    def __init__(self, port, source=None):
        self.socket = socket.create_connection((HOST, int(port)), 60, (source, 0) if source else None)
        self.file = self.socket.makefile("rwb")
        self.reply()
        self.say("EHLO client.example")

    def reply(self):
        while True:
            line = self.file.readline().decode("ascii").rstrip("\r\n")
            if line[3:4] != "-":
                return line

    def say(self, line):
        self.file.write(line.encode("utf-8") + b"\r\n")
        self.file.flush()
        return self.reply()


def plain(user, password):
    return base64.b64encode(f"\0{user}\0{password}".encode()).decode()


def login(port, *words):
    source = None
    if words[0] == "--from":
        source, words = words[1], words[2:]
    print(Connection(port, source).say("AUTH PLAIN " + plain(*words)))


def with_smtplib(port, mechanism, user, password):
    client = smtplib.SMTP(HOST, int(port), timeout=60)
    client.ehlo()
    client.user, client.password = user, password
    try:
        client.auth(mechanism, getattr(client, "auth_" + mechanism.lower()))
        print("authenticated")
    except smtplib.SMTPAuthenticationError as error:
        print(error.smtp_code, error.smtp_error.decode())
    client.close()


def salt(port, user):
    first = base64.b64encode(f"n,,n={user},r=abcdefgh".encode()).decode()
    reply = Connection(port).say("AUTH SCRAM-SHA-256 " + first)
    said = base64.b64decode(reply.split(" ", 1)[1]).decode()
    print(said[said.index(",s="):])


def send(port, user, password, sender, recipient, *header):
    """Each reply that decides: to MAIL, and to the message when it came that far."""
    connection = Connection(port)
    if user:
        assert connection.say("AUTH PLAIN " + plain(user, password)).startswith("235"), "AUTH"
    mail = connection.say(f"MAIL FROM:<{sender}>")
    if not mail.startswith("250"):
        print(mail)
        return
    rcpt = connection.say(f"RCPT TO:<{recipient}>")
    if not rcpt.startswith("250"):
        print(rcpt)
        return
    connection.say("DATA")
    text = "\n".join(header).encode().decode("unicode_escape").encode("latin-1").replace(b"\n", b"\r\n")
    connection.file.write(text + b"\r\n\r\nhello\r\n.\r\n")
    connection.file.flush()
    print(connection.reply())


def hold(port, user, password, mechanism="PLAIN"):
    """Authenticates, says so, and stays until its input ends."""
    connection = Connection(port)
    if mechanism == "PLAIN":
        print(connection.say("AUTH PLAIN " + plain(user, password)), flush=True)
    elif mechanism == "REFUSED":
        connection.say("MAIL FROM:<>")
        print(connection.say("AUTH PLAIN " + plain(user, password)), flush=True)
    else:
        connection.say("AUTH LOGIN")
        connection.say(base64.b64encode(user.encode()).decode())
        print(connection.say(base64.b64encode(password.encode()).decode()), flush=True)
    sys.stdin.read()


{"login": login, "smtplib": with_smtplib, "salt": salt, "send": send, "hold": hold}[sys.argv[1]](*sys.argv[2:])
