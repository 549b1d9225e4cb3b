#!/bin/bash
# Encrypted, over a limit, of a format that nobody can read here: each has its own verdict, and none hides a worse one.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/antivirus.sh"
need python3 zip
make_clamdb
export TMPDIR=$T
cd "$T" || exit 1
printf '%s' "$EICAR" > eicar.com
echo hello > hello.txt
head -c 3000000 /dev/zero > zeros
printf 'Rar!\032\007\001\000xxxxxxxxxxxxxxxxxxxxxxxxx' > file.rar
printf '\050\265\057\375xxxxxxxxxxxxxxxxxxxxxxxxx' > file.zst
zip -q zeros.zip zeros
zip -q -P secret locked.zip hello.txt
zip -q rar.zip file.rar
python3 -c "
import zipfile
for name, methods in ((\"lzma.zip\", (8, 14)), (\"usual.zip\", (0, 8, 12))):
    with zipfile.ZipFile(name, \"w\") as archive:
        for method in methods: archive.write(\"hello.txt\", str(method), method)"
cp locked.zip locked-and-virus.zip && zip -q locked-and-virus.zip eicar.com
cp locked.zip locked-and-large.zip && zip -q -0 locked-and-large.zip zeros
cp locked.zip locked-and-rar.zip && zip -q locked-and-rar.zip file.rar
zip -q rar-and-virus.zip file.rar eicar.com
zip -q deep1.zip hello.txt
for i in 1 2 3 4 5 6; do zip -q deep$((i + 1)).zip deep$i.zip; done

verdict() { "$B/postern-antivirus" file < "$1" 2> log; }
expect() {
  local got
  got=$(verdict "$1") || fail "$1: exit $?: $(cat log)"
  [[ $got == $2 ]] || fail "$1: got '$got', expected '$2'"
}
expect hello.txt 'clean '
expect eicar.com 'infected Eicar-Test-Signature'
expect locked.zip 'encrypted Heuristics.Encrypted.Zip'
expect file.rar 'unscannable RAR'
expect rar.zip 'unscannable RAR'
expect file.zst 'unscannable ZSTD'
expect lzma.zip 'unscannable ZIP'
expect usual.zip 'clean '
expect locked-and-rar.zip 'unscannable RAR'
expect locked-and-virus.zip 'infected Eicar-Test-Signature'
expect rar-and-virus.zip 'infected Eicar-Test-Signature'
expect deep7.zip 'clean '
echo 1000000 > "$POSTERN_HOME/control/avmaxscansize"
expect zeros.zip 'limit over a limit of the engine*'
expect locked-and-large.zip 'limit over a limit of the engine*'
rm "$POSTERN_HOME/control/avmaxscansize"
echo 3 > "$POSTERN_HOME/control/avmaxrecursion"
expect deep7.zip 'limit over a limit of the engine*'
rm "$POSTERN_HOME/control/avmaxrecursion"
echo 100 > "$POSTERN_HOME/control/avmaxfiles"
for i in $(seq 200); do echo "$i" > "many$i"; done
zip -q many.zip many*
expect many.zip 'limit over a limit of the engine*'
rm "$POSTERN_HOME/control/avmaxfiles"
expect many.zip 'clean '

# A mail with several of them: the worst counts.
python3 - <<'P'
import base64
def mail(*names):
    parts = "".join('--b\nContent-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\n'
                    + base64.encodebytes(open(n, "rb").read()).decode() for n in names)
    open("mail." + names[0], "w").write('Subject: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n' + parts + "--b--\n")
mail("locked.zip", "hello.txt")
mail("rar.zip", "locked.zip")
mail("file.zst", "file.rar")
mail("zeros", "file.rar", "locked.zip", "eicar.com")
P
expect mail.locked.zip 'encrypted *'
expect mail.rar.zip 'unscannable RAR'
expect mail.file.zst 'unscannable ZSTD'
expect mail.zeros 'infected Eicar-Test-Signature'

# What the operator wants to hear of besides.
printf 'MZ%0100d' 0 > broken.exe
python3 - <<'P'
import struct
open("macro.bin", "wb").write(b"x")
open("broken.jpg", "wb").write(b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00" + b"\xff\xe0\x00\x10JFIF\x00" * 40)
P
expect broken.jpg 'clean '
echo brokenmedia > "$POSTERN_HOME/control/avheuristics"
expect broken.jpg 'unscannable Heuristics.Broken.Media*'
exit 0
