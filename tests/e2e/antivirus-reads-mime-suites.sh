#!/bin/bash
# Mails that others have collected (../shared/suites/mime): each leaf, part and hidden name that their authors tell is among the pieces that
# the antivirus stage looks at.
. "$(dirname "$0")/../lib.sh"
need python3
SUITES=${POSTERN_SHARED:-$TESTS/../../shared}/suites/mime
[ -d "$SUITES/mime4j" ] || skip "no test mails in $SUITES"
PIECES=$B/../mime-pieces
[ -x "$PIECES" ] || PIECES=$B/../release/mime-pieces
[ -x "$PIECES" ] || skip "mime-pieces is not built (make unit)"
python3 -B "$TESTS/mime_suites.py" "$PIECES" "$SUITES" || fail "something is missed"
exit 0
