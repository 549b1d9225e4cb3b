#!/usr/bin/env python3
"""Says RCPT for each recipient in one transaction: rcpt.py PORT [--sender ADDRESS] RECIPIENT...; prints the reply to each."""
import smtplib
import sys

arguments = sys.argv[1:]
sender = "s@client.example"
if arguments[1] == "--sender":
    sender = arguments[2]
    del arguments[1:3]
client = smtplib.SMTP("127.0.0.1", int(arguments[0]), local_hostname="client.example", timeout=300)
client.ehlo()
client.mail(sender)
for recipient in arguments[1:]:
    code, text = client.docmd("RCPT", "TO:<%s>" % recipient)
    print(code, text.decode("latin-1").replace("\n", " / "))
client.quit()
