#!/usr/bin/env python3
"""Mails with one bad attachment, and what became of them.

edited_mail.py make KIND FILE [crlf]     a mail to descriptor 1, FILE its bad part. KIND: single (the whole message), mixed, nested (a
                                         multipart in a multipart), rfc822 (a message in a message), deep (both)
edited_mail.py check HOW BEFORE AFTER    HOW is replace or repair: AFTER parses without defects, EICAR is nowhere in it, decoded or in an
                                         archive; every byte outside of the bad part stands as in BEFORE; replace: a note is there, and is printed"""
import email, email.policy, io, os, sys, zipfile
from email.message import EmailMessage

EICAR = b"EICAR-STANDARD-" + b"ANTIVIRUS-TEST-FILE"

def bad(message, path):
    data = open(path, "rb").read()
    if path.endswith(".txt"):
        message.set_content(data.decode(), filename=os.path.basename(path), disposition="attachment")
    else:
        message.set_content(data, maintype="application", subtype="octet-stream", filename=os.path.basename(path))
    return message

def text(content, subtype="plain"):
    message = EmailMessage()
    message.set_content(content, subtype=subtype)
    return message

def mixed(parts, boundary, kind="mixed"):
    message = EmailMessage()
    message["Content-Type"] = "multipart/" + kind
    message["MIME-Version"] = "1.0"
    message.set_boundary(boundary)
    message.set_payload(parts)
    return message

def top(message, subject):
    message["From"], message["To"] = "Ä <a@example.org>", "b@example.net"
    message["Subject"] = subject
    message["X-Folded"] = "one " * 40
    return message

def make(kind, path, crlf):
    middle = [text("hello\n"), bad(EmailMessage(), path), text("<b>good bye</b>\n", "html")]
    if kind == "single":
        message = bad(EmailMessage(), path)
    elif kind == "mixed":
        message = mixed(middle, "=_mixed")
    elif kind == "nested":
        message = mixed([text("first\n"), mixed(middle, "=_inner", "related"), text("last\n")], "=_outer")
    else:
        inner = top(mixed(middle, "=_within") if kind == "deep" else bad(EmailMessage(), path), "inner")
        outside = EmailMessage()
        outside["Content-Type"] = "message/rfc822"
        outside.set_payload([inner])
        message = mixed([text("first\n"), outside, text("last\n")], "=_outer")
    policy = email.policy.SMTP if crlf else email.policy.default
    sys.stdout.buffer.write(top(message, "Grüße, a subject that is long enough to be folded by those who fold").as_bytes(policy=policy))

def contents(message):
    for part in message.walk():
        if part.is_multipart():
            continue
        data = part.get_payload(decode=True) or b""
        yield data
        if zipfile.is_zipfile(io.BytesIO(data)):
            archive = zipfile.ZipFile(io.BytesIO(data))
            for name in archive.namelist():
                yield archive.read(name)

def parsed(raw):
    return email.message_from_bytes(raw, policy=email.policy.default)

def check(how, before, after):
    message = parsed(after)
    for part in message.walk():
        assert not part.defects, part.defects
    assert any(EICAR in data for data in contents(parsed(before))), "nothing bad in the first place"
    assert not any(EICAR in data for data in contents(message)) and EICAR not in after, "EICAR is still there"
    end = b"\r\n" if b"\r\n" in before else b"\n"
    if end == b"\r\n":
        assert after.count(b"\n") == after.count(b"\r\n"), "line ends are mixed"
    at = before.index(b"filename")
    in_message = before.rfind(b"message/rfc822", 0, at)
    delimiter = before.rfind(b"--=_", 0, at)
    if how == "replace" and (delimiter < 0 or in_message > delimiter):  # the body of a message, and its MIME fields
        head = before.index(b"Content-", in_message + 1 if in_message > 0 else 0)
        kept = [line for line in before[:before.index(end + end, at)].split(end) if not line.lower().startswith((b"content-", b"\t", b" "))]
        assert all(line in after for line in kept), "a field is gone"
        begin = head
    else:
        begin = delimiter if how == "repair" else before.index(end, delimiter) + len(end)
    last = before.find(b"--=_", at)
    behind = len(before) - last if last >= 0 else 0
    assert before[:begin] == after[:begin] or delimiter < 0, "bytes before it differ"
    if behind:
        assert before[-behind:] == after[-behind:], "bytes behind it differ"
    rest = [data for data in contents(parsed(before)) if EICAR not in data and not zipfile.is_zipfile(io.BytesIO(data))]
    now = list(contents(message))
    assert all(data in now for data in rest), "another part differs"
    assert len(now) == len(rest) + (how == "replace"), (len(now), len(rest))
    for field in ("From", "To", "Subject", "X-Folded"):
        assert message[field] == parsed(before)[field], field
    for part in message.walk():
        data = b"" if part.is_multipart() else part.get_payload(decode=True)
        if b"Finding:" in data:
            assert how == "replace" and part.get_content_type() == "text/plain" and part.get_content_charset() == "utf-8"
            sys.stdout.buffer.write(data)

read = lambda path: open(path, "rb").read()
if sys.argv[1] == "make":
    make(sys.argv[2], sys.argv[3], sys.argv[4:] == ["crlf"])
else:
    check(sys.argv[2], read(sys.argv[3]), read(sys.argv[4]))
