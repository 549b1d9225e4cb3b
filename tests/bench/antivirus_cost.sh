#!/bin/bash
# CPU of the antivirus stage beside libclamav called directly (antivirus_cost.cc), for a text mail of 4 KiB and of 10 MiB, one of 64 KiB in HTML and
# one with 10 MiB attached: antivirus_cost.sh [SIGNATURES]; without a directory one signature is made. Needs `make all` before.
set -eu
cd "$(dirname "$0")/../.."
T=$(mktemp -d /tmp/postern-cost.XXXXXX)
trap 'rm -rf "$T"' EXIT
O=build/release
${CXX:-g++} -std=c++20 -O2 -I. -D_GNU_SOURCE tests/bench/antivirus_cost.cc $O/libscanq.a $O/libpostern.a \
  -lclamav -lseccomp -lcdb -lxxhash -lidn2 -o "$T/cost"
DB=${1:-$T/db}
if [ $# = 0 ]; then
  mkdir "$T/db"
  echo 'aa15bcf478d165efd2065190eb473bcb:544:ClamAV-Test-File' > "$T/db/test.hdb"
fi
python3 - "$T" <<'P'
import base64, random, sys
random.seed(4)
words = ["".join(random.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(random.randint(2, 9))) for _ in range(500)]
def text(size):
    lines = (" ".join(random.choice(words) for _ in range(10)) + "\n" for _ in range(size // 29 + 1))
    return "".join(lines)[:size].encode()
head = (b"Received: from a.example by b.example; Mon, 02 Jan 2006 15:04:05 +0000\nFrom: <a@example.org>\nTo: <b@example.org>\n"
        b"Subject: hello\nMessage-ID: <1@example.org>\nDate: Mon, 02 Jan 2006 15:04:05 +0000\n")
def save(name, content): open(f"{sys.argv[1]}/{name}", "wb").write(content)
save("text-4KiB", head + b"\n" + text(4096 - len(head) - 2) + b"\n")
save("text-10MiB", head + b"\n" + text((10 << 20) - 1) + b"\n")
html = b"<html><body><p>" + text(48000).replace(b"\n", b"</p>\n<p>") + b"</p></body></html>\n"
save("html-64KiB", head + b'MIME-Version: 1.0\nContent-Type: multipart/alternative; boundary="b"\n\n--b\nContent-Type: text/plain\n\n'
     + text(16000) + b"\n--b\nContent-Type: text/html\n\n" + html + b"--b--\n")
save("attachment-10MiB", head + b'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: text/plain\n\n'
     + text(500) + b"\n--b\nContent-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\n"
     + base64.encodebytes(random.randbytes(10 << 20)) + b"--b--\n")
P
cd "$T"
"$T/cost" "$DB" 300 text-4KiB html-64KiB
"$T/cost" "$DB" 2 text-10MiB attachment-10MiB
