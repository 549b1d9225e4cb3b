#!/usr/bin/env python3
"""Says RCPT for each recipient in one transaction: rcpt.py PORT [--sender ADDRESS] [--from IP] RECIPIENT...; prints the
reply to each, up to one that ends the connection, or the greeting that does."""
import smtplib
import sys

arguments = sys.argv[1:]
options = {"--sender": "s@client.example", "--from": "127.0.0.1"}
while arguments[1] in options:
    options[arguments[1]] = arguments[2]
    del arguments[1:3]
try:
    client = smtplib.SMTP("127.0.0.1", int(arguments[0]), local_hostname="client.example", timeout=300, source_address=(options["--from"], 0))
except smtplib.SMTPConnectError as refused:
    print(refused.smtp_code, refused.smtp_error.decode("latin-1"))
    sys.exit()
client.ehlo()
client.mail(options["--sender"])
for recipient in arguments[1:]:
    code, text = client.docmd("RCPT", "TO:<%s>" % recipient)
    print(code, text.decode("latin-1").replace("\n", " / "))
    if code == 421:
        sys.exit()
client.quit()
