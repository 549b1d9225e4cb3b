#!/bin/bash
# A virus behind an encoding that only some mail readers decode: blanks behind a soft line break, an encoded multipart.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/antivirus.sh"
make_clamdb
HEAD='From: a@b\nTo: c@d\nSubject: x\nMIME-Version: 1.0\n'
PART='Content-Type: application/octet-stream\n'

mail_qp() { printf "$HEAD${PART}Content-Transfer-Encoding: quoted-printable\n\n"; printf '%s='"$1"'\n%s\n' "${EICAR:0:30}" "${EICAR:30}"; }
encoded_multipart() {  # ENCODING COMMAND…
  printf "$HEAD"'Content-Type: multipart/mixed; boundary="x y"\nContent-Transfer-Encoding: '"$1"'\n\n'; shift
  printf -- '--x y\n'"${PART}"'Content-Transfer-Encoding: base64\n\n%s\n--x y--\n' "$(printf '%s' "$EICAR" | base64 -w 60)" | "$@"
}
infected() {
  scan "$T/mail" POSTERN_MID=3 || fail "$1: exit $?: $(cat "$T/log")"
  expect_in "$T/verdict" "^quarantine${TAB}Virus${TAB}Eicar-Test-Signature$"
}
for blanks in '' ' ' '  ' '\t' ' \t\r'; do
  mail_qp "$blanks" > "$T/mail"
  infected "blanks '$blanks' behind a soft line break"
done
encoded_multipart base64 base64 > "$T/mail"
infected "a multipart in base64"
encoded_multipart quoted-printable sed 's/=/=3D/g; s/--/=2D-/g' > "$T/mail"
infected "a multipart in quoted-printable"
# The same inside another one.
{ printf "$HEAD"'Content-Type: multipart/mixed; boundary=o\n\n--o\n'
  encoded_multipart base64 base64 | sed 1,4d
  printf -- '\n--o--\n'; } > "$T/mail"
infected "an encoded multipart in another"
exit 0
