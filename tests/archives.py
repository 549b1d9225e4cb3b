"""archives.py DIRECTORY BYTES...: an archive of each kind around text of so many bytes, as DIRECTORY/KIND.BYTES."""
import bz2, gzip, io, lzma, struct, sys, tarfile, zipfile, zlib


def zipped(name, content, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr(name, content)
    return out.getvalue()


def tarred(content, mode):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        entry = tarfile.TarInfo("a.txt")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def cabinet(content):
    """One folder (MSZIP), one file; [MS-CAB]."""
    blocks = b""
    for at in range(0, len(content), 32768):
        plain = content[at : at + 32768]
        squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
        data = b"CK" + squeeze.compress(plain) + squeeze.flush()
        blocks += struct.pack("<IHH", 0, len(data), len(plain)) + data
    file = struct.pack("<IIHHHH", len(content), 0, 0, 0x5000, 0x6000, 0x20) + b"a.txt\0"
    files_at = 36 + 8
    data_at = files_at + len(file)
    count = (len(content) + 32767) // 32768
    head = struct.pack("<IIIIIBBHHHHH", 0, data_at + len(blocks), 0, files_at, 0, 3, 1, 1, 1, 0, 1, 0)
    return b"MSCF" + head + struct.pack("<IHH", data_at, count, 1) + file + blocks


KINDS = {
    "zip": lambda content: zipped("a.txt", content),
    "zip-stored": lambda content: zipped("a.txt", content, zipfile.ZIP_STORED),
    "zip-bzip2": lambda content: zipped("a.txt", content, zipfile.ZIP_BZIP2),
    "zip-in-zip": lambda content: zipped("b.zip", zipped("a.txt", content)),
    "zip-of-gzip": lambda content: zipped("a.gz", gzip.compress(content)),
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "tar": lambda content: tarred(content, "w"),
    "tar-gzip": lambda content: tarred(content, "w:gz"),
    "cab": cabinet,
}
for size in sys.argv[2:]:
    text = (b"some words that are worth packing %d\n" % int(size)) * (int(size) // 36 + 1)
    for kind, pack in KINDS.items():
        with open(f"{sys.argv[1]}/{kind}.{size}", "wb") as out:
            out.write(pack(text[: int(size)]))
