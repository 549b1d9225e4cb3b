#!/bin/bash
# A file that was found clean says nothing about another file with the same MD5: two such twins, the harmless one first.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/antivirus.sh"
need python3
make_clamdb
# The published pair of Wang and Yu; they differ in six bytes. What follows them is the same, so the MD5 stays the same.
python3 - "$T" <<'P'
import hashlib, sys
clean = bytearray.fromhex(
    "d131dd02c5e6eec4693d9a0698aff95c2fcab58712467eab4004583eb8fb7f8955ad340609f4b30283e488832571415a"
    "085125e8f7cdc99fd91dbdf280373c5bd8823e3156348f5bae6dacd436c919c6dd53e2b487da03fd02396306d248cda0"
    "e99f33420f577ee8ce54b67080a80d1ec69821bcb6a8839396f9652b6ff72a70")
evil = bytearray(clean)
for at in (19, 45, 59, 83, 109, 123): evil[at] ^= 0x80
clean += b"tail" * 300
evil += b"tail" * 300
assert clean != evil and hashlib.md5(clean).digest() == hashlib.md5(evil).digest()
open(sys.argv[1] + "/clean", "wb").write(clean)
open(sys.argv[1] + "/evil", "wb").write(evil)
P
[ -s "$T/evil" ] || fail "no twins"
echo 'Twin:0:*:2fcab50712467eab4004583eb8fb7f89' > "$T/db/twin.ndb"
for twin in clean evil; do python3 "$TESTS/mail.py" base64 "$T/$twin" > "$T/$twin.mail"; done

# One worker, so that both are looked at by the same process.
start av "$B/postern-bind" antivirus "$(id -un)" "$B/postern-antivirus" --serve --workers 1
ask() { python3 "$TESTS/ask.py" antivirus POSTERN_MID=9 "0<$T/$1"; }
wait_for 30 ask clean.mail
expect_equal "$(ask clean.mail)" "" "the harmless twin"
expect_equal "$(ask evil.mail)" "quarantine${TAB}Virus${TAB}Twin.UNOFFICIAL
stop" "the other twin"
exit 0
