#!/usr/bin/env python3
"""Hands one message to an SMTP server: inject.py [--from-address IP] HOST PORT SENDER RECIPIENT... < MESSAGE

Prints the reply that decided: the one to the message, or the first refusal before it. Exit code: 0 taken (2yz), 1 refused (5yz),
2 deferred (4yz), 3 no answer."""
import smtplib
import sys

arguments = sys.argv[1:]
source = None
if arguments[0] == "--from-address":
    source, arguments = (arguments[1], 0), arguments[2:]
host, port, sender, recipients = arguments[0], int(arguments[1]), arguments[2], arguments[3:]
message = sys.stdin.buffer.read().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def converse():
    client = smtplib.SMTP(host, port, local_hostname="client.example", timeout=60, source_address=source)
    code, text = client.ehlo()
    if code // 100 == 2:
        code, text = client.mail(sender)
    for recipient in recipients:
        if code // 100 == 2:
            code, text = client.rcpt(recipient)
    if code // 100 == 2:
        code, text = client.data(message)
    try:
        client.quit()
    except smtplib.SMTPException:
        pass
    return code, text


try:
    code, text = converse()
except (smtplib.SMTPException, OSError) as problem:
    print("no answer:", problem)
    sys.exit(3)
print(code, text.decode("latin-1").replace("\n", " / "))
sys.exit({2: 0, 5: 1, 4: 2}.get(code // 100, 3))
