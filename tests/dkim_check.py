#!/usr/bin/python3
# Signatures as others see them, for tests.
#
#   dkim_check.py split SINK DIRECTORY     the messages of tests/smtp-server.py as they were on the wire, DIRECTORY/1, 2, ...
#   dkim_check.py verify KEYS FILE...      by dkimpy: a line a file, "SUBJECT: SELECTOR.DOMAIN pass, ..." or "SUBJECT: unsigned"
#   dkim_check.py answer KEYS ADDRESS PORT a name server that knows KEYS alone
#   dkim_check.py tags FILE TAG            the values of that tag of its signatures, one a line
#
# KEYS: what postern-dkim-key prints.
import re, socket, struct, sys


def records(path):
    found = {}
    for line in open(path):
        if not line.startswith(";") and " IN TXT " in line:
            found[line.split(" ")[0].rstrip(".").lower()] = re.findall('"([^"]*)"', line)
    return found


def fields(message):
    head = re.split(b"\r\n\r\n", message, maxsplit=1)[0]
    return re.sub(b"\r\n([ \t])", rb"\1", head).split(b"\r\n")


def signatures(message):
    for field in fields(message):
        name, _, value = field.partition(b":")
        if name.lower() == b"dkim-signature":
            yield dict(re.sub(rb"\s", b"", tag).decode("latin-1").split("=", 1) for tag in value.split(b";") if tag.strip())


def split(sink, directory):
    everything, at, number, by_data = open(sink + ".messages", "rb").read(), 0, 0, True
    for line in open(sink, errors="replace"):
        if line.startswith(("< DATA", "< BDAT")):
            by_data = line.startswith("< DATA")
        if line.startswith("message "):
            size, number = int(line.split()[1]), number + 1
            message, at = everything[at:at + size], at + size
            if by_data:
                message = re.sub(rb"(^|\r\n)\.", rb"\1", message)
            open("%s/%d" % (directory, number), "wb").write(message)


def verify(keys, files):
    import dkim
    known = {name.encode(): "".join(strings).encode() for name, strings in records(keys).items()}

    def look_up(name, timeout=5):
        return known.get(name.rstrip(b".").lower())
    for path in files:
        message = open(path, "rb").read()
        subject = b" ".join(f[9:].strip() for f in fields(message) if f.lower().startswith(b"subject: "))
        said = []
        for index, tags in enumerate(signatures(message)):
            try:
                good = dkim.DKIM(message).verify(idx=index, dnsfunc=look_up)
                said.append("%s.%s %s" % (tags["s"], tags["d"], "pass" if good else "fail"))
            except dkim.DKIMException as error:
                said.append("%s.%s %s" % (tags["s"], tags["d"], error))
        print("%s: %s" % (subject.decode("latin-1"), ", ".join(said) or "unsigned"))


def answer(keys, address, port):
    known = records(keys)
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((address, int(port)))
    print("ready", flush=True)
    while True:
        question, client = server.recvfrom(4096)
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1:at + 1 + question[at]].decode("latin-1"))
            at += question[at] + 1
        asked = question[12:at + 5]
        strings = known.get(".".join(labels).lower()) if asked[-4:-2] == b"\0\x10" else None
        reply = struct.pack("!2sHHHHH", question[:2], 0x8580 if strings else 0x8583, 1, 1 if strings else 0, 0, 0) + asked
        if strings:
            data = b"".join(bytes([len(s)]) + s.encode() for s in strings)
            reply += struct.pack("!HHHIH", 0xc00c, 16, 1, 300, len(data)) + data
        server.sendto(reply, client)


if __name__ == "__main__":
    what, arguments = sys.argv[1], sys.argv[2:]
    if what == "split":
        split(*arguments)
    elif what == "verify":
        verify(arguments[0], arguments[1:])
    elif what == "answer":
        answer(*arguments)
    else:
        for tags in signatures(open(arguments[0], "rb").read()):
            print(tags.get(arguments[1], ""))
