"""The mails of ../shared/suites/mime: what their authors say is in them must be among the pieces that the walk finds.

    mime_suites.py MIME-PIECES SUITES/mime

Prints a line for each suite and each miss; ends with 1 where there is one that is not known (KNOWN)."""
import glob, os, re, subprocess, sys

PIECES, SUITES = sys.argv[1:3]

# Leaves that no reader shows so. Each with its reason.
KNOWN = {
    "malformedHeaderStartsBody-nocrlfcrlf_decoded_1.txt": "mime4j shows a line of the header in front of the body",
    "malformedHeaderStartsBody-noheader_decoded_1.txt": "mime4j loses the body's second line",
    "uu-junk-extracted.ref Part_2_1 size 93": "the text between two files, which is in the piece of both",
}


class Mail:
    def __init__(self):
        self.contents, self.names, self.flags = [], [], None


def text(field):
    return b"" if field == "-" else bytes.fromhex(field)


def walk(files):
    mails = {}
    out = subprocess.run([PIECES, *files], stdout=subprocess.PIPE, check=True).stdout.decode()
    for line in out.splitlines():
        word = line.split(" ")
        if word[0] == "F":
            mail = mails[line[2:]] = Mail()
        elif word[0] == "P":
            mail.contents.append(text(word[6]))
            mail.names.append([text(name) for name in word[7].split(",")])
        else:
            mail.flags = (text(word[1]).decode(), word[2] == "1", text(word[3]).decode())
    return mails


def plain(content):
    """Line ends as one, and none at the end: where they differ is no difference to a scanner of text."""
    return content.replace(b"\r\n", b"\n").rstrip(b"\n")


misses = []
def check(suite, what, holds):
    if not holds and what not in KNOWN:
        misses.append(f"{suite}: {what}")
    return holds


def mime4j():
    files = sorted(glob.glob(SUITES + "/mime4j/*/*.msg"))
    mails = walk(files)
    leaves = exact = found = 0
    for name in files:
        base = name[:-4]
        for leaf in sorted(glob.glob(glob.escape(base) + "_decoded_*[0-9].*")):
            want = open(leaf, "rb").read()
            if not want.strip():
                continue
            leaves += 1
            contents = mails[name].contents
            exact += want in contents
            found += check("mime4j", os.path.basename(leaf), plain(want) in [plain(c) for c in contents])
    print(f"mime4j: {len(files)} mails, {leaves} leaves, {found} found, {exact} of them to the byte")
    assert leaves > 100


def mime_tools():
    """Part sizes and names that the .ref files tell, each for the mail (Message) that it is of."""
    refs = sorted(glob.glob(SUITES + "/mime-tools/*.ref"))
    parts = found = 0
    for ref in refs:
        source = open(ref, encoding="latin-1").read()
        named = re.search(r'"Message" => "testmsgs/(.*?)"', source)
        mail = SUITES + "/mime-tools/" + named.group(1) if named else ref[:-4] + ".msg"
        if not os.path.exists(mail):
            continue
        walked = walk([mail])[mail]
        for name, block in re.findall(r'"((?:Part|Msg)[_0-9]*)" => \{(.*?)\n  \}', source, re.S):
            size = re.search(r'"Size" => "?(\d+)', block)
            filename = re.search(r'"Filename" => "(.*?)"', block)
            if "multipart/" in block:
                continue
            label = f"{os.path.basename(ref)} {name}"
            if size and int(size.group(1)) > 0:
                parts += 1
                wanted = int(size.group(1))
                sizes = {len(c) for c in walked.contents} | {len(plain(c)) for c in walked.contents}
                found += check("mime-tools", label + f" size {wanted}",
                               wanted in sizes or any(abs(wanted - s) <= 2 for s in sizes))
            if filename:
                parts += 1
                wanted = filename.group(1).encode().decode("unicode_escape" if "\\x{" not in filename.group(1) else "ascii")
                # Perl's characters; the pieces have the mail's own bytes, KOI8-R in that one.
                wanted = re.sub(r"\\x\{(.*?)\}", lambda m: chr(int(m.group(1), 16)), wanted)
                wanted = wanted.encode("latin-1" if wanted.isascii() else "koi8-r")
                found += check("mime-tools", label + f" name {wanted}", any(wanted in names for names in walked.names))
    print(f"mime-tools: {len(refs)} trees, {parts} sizes and names, {found} found")


def torture():
    import email
    name = SUITES + "/torture/torture.eml"
    walked = walk([name])[name]
    leaves = found = 0
    for part in email.message_from_bytes(open(name, "rb").read()).walk():
        if part.is_multipart() or part.get_content_maintype() == "message":
            continue
        want = part.get_payload(decode=True)
        if want and want.strip():
            leaves += 1
            found += check("torture", f"leaf {leaves} {part.get_content_type()}",
                           plain(want) in [plain(c) for c in walked.contents])
    print(f"torture: {leaves} leaves of Python's reader, {found} found; {len(walked.contents)} pieces")
    assert leaves > 20


def hide_filename():
    files = sorted(glob.glob(SUITES + "/hide-filename/cur/*"))
    mails = walk(files)
    hidden = found = 0
    for name in files:
        label = re.search(rb"X-Payload-Id: (\S+)", open(name, "rb").read()).group(1).decode()
        # Those that carry the harmless name alone, or none: there is nothing to hide.
        if not re.search(rb"zip|%7A|\?B\?|%00z", open(name, "rb").read().split(b"octet-stream", 1)[1].split(b"\n\n")[0]):
            continue
        hidden += 1
        names = {n for part in mails[name].names for n in part}
        found += check("hide-filename", label,
                       any(n in (b"file.zip", b'file".zip', b"file;.zip") for n in names))
    print(f"hide-filename: {len(files)} mails, {hidden} hide a name, {found} found")
    assert hidden > 150


for suite in (mime4j, mime_tools, torture, hide_filename):
    suite()
for miss in misses:
    print("missed:", miss)
sys.exit(1 if misses else 0)
