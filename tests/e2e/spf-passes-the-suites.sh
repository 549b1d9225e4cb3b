#!/bin/bash
# once: the users do not matter to it
# All 191 cases of RFC 4408's suite and all 203 of RFC 7208's (../shared/suites/spf).
. "$(dirname "$0")/../lib.sh"
need python3
python3 -c 'import yaml' 2> /dev/null || skip "python3-yaml is not installed"
SUITES=${POSTERN_SHARED:-$TESTS/../../shared}/suites/spf
[ -d "$SUITES" ] || skip "there is no $SUITES"
make_home
python3 -B "$TESTS/spf_suites.py" "$B/postern-spf" "$SUITES"/rfc4408-tests.yml "$SUITES"/rfc7208-tests.yml > "$T/result" || { cat "$T/result"; fail "a case fails"; }
cat "$T/result"
expect_in "$T/result" '^rfc4408-tests\.yml: 191 passed, 0 failed$'
expect_in "$T/result" '^rfc7208-tests\.yml: 203 passed, 0 failed$'
