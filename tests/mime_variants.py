"""EICAR as an attachment, hidden in some hundred ways composed of tricks with headers, encodings and boundaries; real mail readers take
each mail apart, and what any of them takes out of it must be among the pieces that the walk finds, or the walk must say that
there is more to it than it can tell.

    mime_variants.py MIME-PIECES GMIME-READER MIMETOOLS-READER.pl DIRECTORY [COUNT [SEED]]

Two readers or more are needed beside Python's. Prints how many mails each reader finds EICAR in, and each miss; ends with 1
where there is one."""
import base64, binascii, email, email.policy, os, quopri, random, shutil, struct, subprocess, sys, warnings
from concurrent.futures import ThreadPoolExecutor

PIECES, GMIME, MIMETOOLS, DIRECTORY = sys.argv[1:5]
COUNT = int(sys.argv[5]) if len(sys.argv) > 5 else 400
RANDOM = random.Random(int(sys.argv[6]) if len(sys.argv) > 6 else 4)
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}" + b"$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


# Encodings: each gives the name for the header and the body.
def lines(text, length=76):
    return b"".join(text[i:i + length] + b"\n" for i in range(0, len(text), length))

def b64(data=EICAR):
    return base64.b64encode(data)

def uu(data=EICAR, name=b"eicar.com", end=b"`\nend\n"):
    body = b"".join(binascii.b2a_uu(data[i:i + 45]) for i in range(0, len(data), 45))
    return b"begin 644 " + name + b"\n" + body + end

def yenc(data=EICAR, part=b""):
    out = b""
    for byte in data:
        byte = (byte + 42) % 256
        out += bytes([61, (byte + 64) % 256]) if byte in (0, 10, 13, 61) else bytes([byte])
    return (b"=ybegin " + part + b"line=128 size=%d name=eicar.com\n" % len(data)) + lines(out, 128) + b"=yend size=%d\n" % len(data)

def qp_all(data=EICAR):
    text = b"".join(b"=%02X" % byte for byte in data)
    return b"".join(text[i:i + 72] + b"=\n" for i in range(0, len(text), 72)) + b"\n"

def chunked(size):
    return lines(b"".join(b64(EICAR[i:i + size]) for i in range(0, len(EICAR), size)))

def tnef(data=EICAR):
    def attribute(level, tag, content):
        return struct.pack("<BII", level, tag, len(content)) + content + struct.pack("<H", sum(content) % 65536)
    return (struct.pack("<IH", 0x223E9F78, 1) + attribute(1, 0x00089006, struct.pack("<I", 0x10000)) +
            attribute(1, 0x00069007, struct.pack("<II", 1252, 0)) +
            attribute(1, 0x00078008, b"IPM.Microsoft Mail.Note\0") +
            attribute(2, 0x00069002, struct.pack("<HIIII", 1, 0xffffffff, 32, 32, 0)[:14]) +
            attribute(2, 0x00018010, b"eicar.com\0") + attribute(2, 0x0006800F, data))

ENCODINGS = [
    ("base64", lines(b64())), ("base64", lines(b64(), 1)), ("base64", lines(b64(), 7)), ("base64", lines(b64(), 4)),
    ("base64", b64() + b"\n"), ("BASE64", lines(b64())), ("base64 ", lines(b64())), ("base64;", lines(b64())),
    ("base64 (x)", lines(b64())), ('"base64"', lines(b64())), ("base-64", lines(b64())), ("x-base64", lines(b64())),
    ("base64, 7bit", lines(b64())), ("\tbase64", lines(b64())),
    ("base64", chunked(1)), ("base64", chunked(2)), ("base64", chunked(4)), ("base64", chunked(30)), ("base64", chunked(31)),
    ("base64", b"!" + lines(b64()).replace(b"\n", b"*\n")), ("base64", lines(b64(), 20).replace(b"\n", b" \t\n\n")),
    ("base64", b"some words first:\n\n" + lines(b64())), ("base64", lines(b64()) + b"\nA footer of the list, not base64.\n"),
    ("base64", lines(b64()) + b"--\nsignature\n"), ("base64", lines(b64()).rstrip(b"=\n") + b"\n"),
    ("base64", b"=" + lines(b64())), ("base64", b"====\n" + lines(b64())),
    ("base64", b64()[:41] + b"=" + b64()[41:] + b"\n"), ("base64", b64()[:42] + b"==" + b64()[42:] + b"\n"),
    ("base64", b64()[:40] + b"=" + b64()[40:] + b"\n"), ("base64", b64()[:40] + b"\0\xff" + b64()[40:] + b"\n"),
    ("base64", lines(b64()).replace(b"\n", b"\r\n")), ("base64", lines(b64(), 20).replace(b"\n", b"\r")),
    ("quoted-printable", quopri.encodestring(EICAR) + b"\n"), ("quoted-printable", qp_all()),
    ("quoted-printable", qp_all().lower()), ("Quoted-Printable", qp_all().replace(b"=\n", b"= \t\n")),
    ("quoted-printable", qp_all().replace(b"=\n", b"=\r\n")), ("quotedprintable", qp_all()), ("quoted-printable;", qp_all()),
    ("quoted-printable", qp_all().replace(b"=\n", b"=\r")),
    ("x-uuencode", uu()), ("uuencode", uu()), ("x-uue", uu()), ("uu", uu()), ("x-uuencode", uu(end=b"")),
    ("x-uuencode", b"text before\n\n" + uu()), ("7bit", uu()), ("7bit", b"hello\n\n" + uu() + b"\nbye\n"),
    ("7bit", uu(b"other", b"other.txt") + uu()), ("7bit", uu(name=b"a file with blanks.com")), ("7bit", uu().replace(b"`", b" ")),
    ("7bit", uu(end=b"")), ("8bit", b"\n".join(l.rstrip(b" ") for l in uu().replace(b"`", b" ").split(b"\n"))),
    ("7bit", b"begin-base64 644 eicar.com\n" + lines(b64()) + b"====\n"),
    ("8bit", yenc()), ("binary", b"words\n" + yenc()), ("7bit", EICAR + b"\n"), ("8bit", EICAR), ("", EICAR + b"\n"),
    ("7bit", lines(b64())), ("unheard-of", lines(b64())), ("", lines(b64())),
    ("base64", lines(b64(tnef()))), ("base64", lines(b64(uu()))), ("quoted-printable", quopri.encodestring(uu())),
]


# How the field with the encoding stands in the header; NAME the encoding, OTHER another one.
FIELDS = [
    "Content-Transfer-Encoding: NAME\n", "content-transfer-encoding:NAME\n", "Content-Transfer-Encoding :NAME\n",
    "Content-Transfer-Encoding:\n NAME\n", "Content-Transfer-Encoding:\n\tNAME\n", "Content-Transfer-Encoding: NAME\nContent-Transfer-Encoding: OTHER\n",
    "Content-Transfer-Encoding: OTHER\nContent-Transfer-Encoding: NAME\n", "X-A: b\nContent-Transfer-Encoding: NAME\nX-C: d\n",
    "CONTENT-TRANSFER-ENCODING: NAME\n", "Content-Transfer-Encoding: (comment) NAME\n", "Content-Transfer-Encoding: NAME (comment)\n",
    "X-A: b\rContent-Transfer-Encoding: NAME\n", "X-A: b\r\nContent-Transfer-Encoding: NAME\r\n", "X-A: \0\nContent-Transfer-Encoding: NAME\n",
    "junk without a colon\nContent-Transfer-Encoding: NAME\n", "X-\xff\xfe: b\nContent-Transfer-Encoding: NAME\n",
    "X-Long: " + "x" * 20000 + "\nContent-Transfer-Encoding: NAME\n", " Content-Transfer-Encoding: NAME\n",
    "Content-Transfer-Encoding: NAME\njunk without a colon\n", "Content-Transfer-Encoding: NAME\n \n", "X-A: b\n \nContent-Transfer-Encoding: NAME\n",
    "Content-Transfer-Encoding:  NAME  \n", "From \nContent-Transfer-Encoding: NAME\n", ": empty\nContent-Transfer-Encoding: NAME\n",
]
TYPES = [
    "Content-Type: application/octet-stream; name=eicar.com\n", "", "Content-Type: text/plain\n", "Content-Type: application/octet-stream;\n name*0=eic;\n name*1=ar.com\n",
    "Content-Type: image/gif; name=\"eicar.com\nContent-Disposition: attachment; filename=eicar.com\n", "Content-Type: nonsense\n",
    "Content-Type: application/octet-stream\nContent-Disposition: attachment; filename*=us-ascii''eicar%2Ecom\n", "Content-Type: message/rfc822\n",
    "Content-Type: application/x-msdownload; name=\"=?us-ascii?B?ZWljYXIuY29t?=\"\n", "Content-Type:application/zip;name=a.zip\nContent-Type: text/html\n",
]


def part(field, kind, encoding):
    name, body = encoding
    other = "7bit" if name.lower().startswith(("base64", "quoted")) else "base64"
    header = field.replace("NAME", name).replace("OTHER", other) if name else ""
    return (kind + header + "\n").encode("latin-1") + body

HEAD = b"From: a@example.org\nTo: b@example.org\nSubject: x\nMIME-Version: 1.0\n"
TEXT = b"Content-Type: text/plain\n\nSome text.\n"

def mail(type_field, first=b"--b\n", last=b"--b--\n", second=b"--b\n", before=b"", after=b"", text=TEXT):
    return lambda attachment: HEAD + type_field + b"\n" + before + first + text + second + attachment + last + after

def multipart(parameters):
    return mail(b"Content-Type: multipart/mixed; " + parameters + b"\n")

def nested(inner, outer=b"outer", depth=1):
    def build(attachment):
        body = inner(attachment)[len(HEAD):]
        for i in range(depth):
            name = outer + b"%d" % i
            body = b"Content-Type: multipart/mixed; boundary=" + name + b"\n\n--" + name + b"\n" + body + b"\n--" + name + b"--\n"
        return HEAD + body
    return build

def forwarded(encode):
    def build(attachment):
        name, body = encode(HEAD + b"Content-Type: multipart/mixed; boundary=in\n\n--in\n" + attachment + b"\n--in--\n")
        return mail(b"Content-Type: multipart/mixed; boundary=b\n")(
            b"Content-Type: message/rfc822\n" + name + b"\n" + body)
    return build

def encoded_multipart(attachment):
    return (HEAD + b"Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: base64\n\n" +
            lines(b64(b"--b\n" + TEXT + b"--b\n" + attachment + b"\n--b--\n")))

SIMPLE = multipart(b"boundary=b")
STRUCTURES = [
    SIMPLE, lambda attachment: HEAD + attachment, multipart(b'boundary="b"'), multipart(b"boundary=b; boundary=c"), multipart(b"boundary=c; boundary=b"),
    multipart(b"boundary*=us-ascii''b"), multipart(b"boundary*0=b"), multipart(b"boundary*0=; boundary*1=b"), multipart(b"(x) boundary (y) = (z) b"),
    multipart(b'boundary="b'), multipart(b"boundary='b'"), multipart(b"boundary==?us-ascii?Q?b?="), multipart(b"\n boundary=b"), multipart(b"\nboundary=b"),
    multipart(b"boundary =b"), multipart(b"boundary= b"), multipart(b"boundary=b;"), multipart(b"boundary=b (x)"), multipart(b"BOUNDARY=b"),
    multipart(b'boundary="\\b"'), multipart(b'charset="a;b"; boundary=b'), multipart(b'x="; boundary=b'), multipart(b""), multipart(b"boundary="),
    multipart(b"boundary=other"), mail(b"Content-Type: multipart/mixed boundary=b\n"), mail(b"Content-Type : multipart/mixed; boundary=b\n"),
    mail(b"Content-Type: multipart/mixed; boundary=b\nContent-Type: text/plain\n"), mail(b"Content-Type: text/plain\nContent-Type: multipart/mixed; boundary=b\n"),
    mail(b"Content-Type: multipart/mixed; boundary=b\nContent-Type: multipart/mixed; boundary=c\n"), mail(b"Content-Type: multipart; boundary=b\n"),
    mail(b"Content-Type: multipart/mixed; boundary=c\nContent-Type: multipart/mixed; boundary=b\n"), mail(b"Content-Type: Multipart/Unheard-Of; boundary=b\n"),
    mail(b"Content-Type: multipart/mixed; boundary=b\n", last=b""), mail(b"Content-Type: multipart/mixed; boundary=b\n", first=b"--b \t\n", second=b"--b  \n"),
    mail(b"Content-Type: multipart/mixed; boundary=b\n", second=b"--b--\n--b\n"), mail(b"Content-Type: multipart/mixed; boundary=b\n", second=b"--bc\n"),
    mail(b"Content-Type: multipart/mixed; boundary=b\n", second=b"--b\r\n"), mail(b"Content-Type: multipart/mixed; boundary=b\n", second=b"\r--b\r"),
    mail(b"Content-Type: multipart/mixed; boundary=b\n", second=b"text--b\n"), mail(b"Content-Type: multipart/mixed; boundary=b\n", second=b" --b\n"),
    mail(b"Content-Type: multipart/mixed; boundary=b\n", second=b"--b\n\n--b\n"), mail(b"Content-Type: multipart/mixed; boundary=b\n", after=b"--b\nmore\n"),
    mail(b"Content-Type: multipart/mixed; boundary=b\n", before=b"--b--\n"), mail(b"Content-Type: multipart/mixed; boundary=b\n", first=b"", text=b""),
    mail(b"Content-Type: multipart/mixed; boundary=\"b \"\n", second=b"--b \n", first=b"--b \n"), mail(b"Content-Type: multipart/digest; boundary=b\n"),
    mail(b"Content-Type: multipart/mixed; boundary=\"\"\n", first=b"--\n", second=b"--\n", last=b"----\n"), mail(b"Content-Type: multipart/alternative; boundary=b\n"),
    mail(b"X-Y: z\n\nContent-Type: multipart/mixed; boundary=b\n"), mail(b"junk\nContent-Type: multipart/mixed; boundary=b\n"),
    mail(b"Content-Type: multipart/mixed; boundary=b\njunk\n"), mail(b"Content-Type: multipart/mixed; boundary=b\r\n"), mail(b"X: y\rContent-Type: multipart/mixed; boundary=b\n"),
    mail(b"Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: base64\n"), mail(b"Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: quoted-printable\n"),
    nested(SIMPLE), nested(SIMPLE, depth=5), nested(SIMPLE, outer=b"b"), nested(mail(b"Content-Type: multipart/mixed; boundary=b\n", last=b"")),
    nested(mail(b"Content-Type: multipart/mixed; boundary=outer0x\n", first=b"--outer0x\n", second=b"--outer0x\n", last=b"--outer0x--\n")),
    nested(mail(b"Content-Type: multipart/mixed; boundary=b\n", second=b"--outer0--\n--b\n")), nested(mail(b"Content-Type: multipart/mixed; boundary=outer0\n", first=b"--outer0\n", second=b"--outer0\n")),
    forwarded(lambda m: (b"", m)), forwarded(lambda m: (b"Content-Transfer-Encoding: base64\n", lines(b64(m)))),
    forwarded(lambda m: (b"Content-Transfer-Encoding: quoted-printable\n", quopri.encodestring(m))), encoded_multipart,
    lambda attachment: b"From x@y Sat Jan  1 00:00:00 2000\n" + SIMPLE(attachment), lambda attachment: b"\xef\xbb\xbf" + SIMPLE(attachment)[len(HEAD):],
    lambda attachment: SIMPLE(attachment).replace(b"\n", b"\r\n"), lambda attachment: SIMPLE(attachment).replace(b"\n", b"\r"), lambda attachment: b"\n" + SIMPLE(attachment),
    mail(b"Content-Type: text/html\n", before=b"<p>words</p>\n"), mail(b"Content-Type: multipart/\0mixed; boundary=b\n"), mail(b"Content-\0Type: multipart/mixed; boundary=b\n"),
]


def variants():
    yield from (s(part(FIELDS[0], TYPES[0], ENCODINGS[0])) for s in STRUCTURES)
    yield from (SIMPLE(part(f, TYPES[0], ENCODINGS[0])) for f in FIELDS)
    yield from (SIMPLE(part(FIELDS[0], k, ENCODINGS[0])) for k in TYPES)
    yield from (SIMPLE(part(FIELDS[0], TYPES[0], e)) for e in ENCODINGS)
    yield from (STRUCTURES[1](part(FIELDS[0], TYPES[2], e)) for e in ENCODINGS)
    while True:
        pick = RANDOM.choice
        field, kind = (pick(FIELDS), TYPES[0]) if RANDOM.random() < 0.7 else (FIELDS[0], pick(TYPES))
        made = pick(STRUCTURES)(part(field, kind, pick(ENCODINGS)))
        yield made.replace(b"\n", b"\r\n") if RANDOM.random() < 0.1 else made


# Readers: each gives the contents that it takes out of a file.
def python_reader(file):
    found = []
    for policy in (email.policy.compat32, email.policy.default):
        try:
            for one in email.message_from_bytes(open(file, "rb").read(), policy=policy).walk():
                if not one.is_multipart():
                    found.append(one.get_payload(decode=True) or b"")
        except Exception:  # its own failures are no finding
            pass
    return found

def files_of(command, file):
    directory = file + "." + os.path.basename(command[0])
    os.makedirs(directory)
    place = [word.replace("DIR", directory).replace("FILE", file) for word in command]
    subprocess.run(place, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=20)
    found = [open(os.path.join(at, name), "rb").read() for at, _, names in os.walk(directory) for name in names]
    shutil.rmtree(directory)
    return found

def of_tnef(content, file):
    if not content.startswith(b"\x78\x9f\x3e\x22") or not shutil.which("tnef"):
        return []
    blob = file + ".dat"
    open(blob, "wb").write(content)
    return files_of(["tnef", "--overwrite", "-C", "DIR", blob], file)

def batch(command, files):
    out = subprocess.run([*command, *files], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode()
    found, file = {name: [] for name in files}, None
    for line in out.splitlines():
        if line.startswith("F "):
            file = line[2:]
        else:
            found[file].append(bytes.fromhex(line))
    return found

COMMANDS = {"ripmime": ["ripmime", "-i", "FILE", "-d", "DIR"], "munpack": ["munpack", "-q", "-t", "-f", "-C", "DIR", "FILE"],
            "uudeview": ["uudeview", "-i", "-q", "-p", "DIR", "FILE"]}

def is_eicar(content):
    return content.strip(b" \t\r\n\0") == EICAR

def main():
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    os.makedirs(DIRECTORY)
    files = []
    for number, made in zip(range(COUNT), variants()):
        files.append(os.path.join(DIRECTORY, f"{number:05d}"))
        open(files[-1], "wb").write(made)
    readers = {"python": {file: python_reader(file) for file in files}}
    if os.path.exists(GMIME):
        readers["gmime"] = batch([GMIME], files)
    if subprocess.run(["perl", "-MMIME::Parser", "-e1"], stderr=subprocess.DEVNULL).returncode == 0:
        readers["mimetools"] = batch(["perl", MIMETOOLS], files)
    with ThreadPoolExecutor(4) as pool:
        for name, command in COMMANDS.items():
            if shutil.which(name):
                readers[name] = dict(zip(files, pool.map(lambda file: files_of(command, file), files)))
    if len(readers) < 3:
        print("too few readers:", *readers)
        sys.exit(77)
    for found in readers.values():
        for file, contents in found.items():
            contents.extend(inner for content in list(contents) for inner in of_tnef(content, file))

    ours, flags = {}, {}
    for line in subprocess.run([PIECES, *files], stdout=subprocess.PIPE, check=True).stdout.decode().splitlines():
        word = line.split(" ")
        if word[0] == "F":
            file = line[2:]
            ours[file] = []
        elif word[0] == "P":
            ours[file].append(b"" if word[6] == "-" else bytes.fromhex(word[6]))
        else:
            flags[file] = word[1:] != ["-", "0", "-"]

    for name, found in readers.items():
        print(f"{name}: EICAR out of {sum(any(map(is_eicar, contents)) for contents in found.values())} of {len(files)} mails")
    missed = any_reader = flagged = walked = 0
    for file in files:
        walk_has = any(map(is_eicar, ours[file]))
        walked += walk_has
        flagged += flags[file]
        by = [name for name, found in readers.items() if any(map(is_eicar, found[file]))]
        part_of = [name for name, found in readers.items() if any(EICAR in content for content in found[file])]
        any_reader += bool(by)
        good = (walk_has or not by) and (not part_of or any(EICAR in content for content in ours[file]))
        if not good and not flags[file]:
            missed += 1
            print("missed:", file, "found by", *(by or part_of))
    print(f"any of them: {any_reader}; the walk: {walked}, flagged {flagged}; missed {missed}; "
          f"pieces a mail: {sum(map(len, ours.values())) / len(files):.1f}")
    sys.exit(1 if missed else 0)

warnings.simplefilter("ignore")
main()
