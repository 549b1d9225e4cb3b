#!/bin/bash
# once: the users do not matter to it
# EICAR hidden in four hundred ways, composed of tricks with headers, boundaries and encodings: what Python, GMime, MIME-tools, ripmime,
# munpack or uudeview takes out of a mail is among the pieces that the antivirus stage looks at.
. "$(dirname "$0")/../lib.sh"
need python3
PIECES=$B/../mime-pieces
[ -x "$PIECES" ] || PIECES=$B/../release/mime-pieces
[ -x "$PIECES" ] || skip "mime-pieces is not built (make unit)"
if pkg-config --exists gmime-3.0 2> "$T/pkg-config.log"; then
  # shellcheck disable=SC2046 # words
  g++ -o "$T/gmime-reader" "$TESTS/gmime_reader.cc" $(pkg-config --cflags --libs gmime-3.0) || fail "gmime_reader.cc is not compiled"
fi
python3 -B "$TESTS/mime_variants.py" "$PIECES" "$T/gmime-reader" "$TESTS/mimetools_reader.pl" "$T/mails" 400 > "$T/readers"
CODE=$?
cat "$T/readers"
[ $CODE != 77 ] || skip "$(cat "$T/readers")"
[ $CODE = 0 ] || fail "a reader finds what the walk does not"
exit 0
