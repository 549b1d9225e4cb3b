#!/bin/bash
# needs: user
# postern-antivirus is a stage as Joint 4 has it, in both forms.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/antivirus.sh"
make_clamdb
export TMPDIR=$T

examine() { "$B/postern-stagetest" --timeout 120 "$@" > "$T/out" 2> "$T/err" || { grep -A 2 '^FAIL' "$T/out"; cat "$T/err"; fail "$*: exit $?"; }; }
examine "$B/postern-antivirus"
expect_in "$T/out" '^pass  fifty-megabytes:'
grep -A 1 '^pass  test-virus:' "$T/out" | sees 'exit 0, [1-9]' || fail "the test virus was not found"
grep -A 1 '^pass  no-message:' "$T/out" | sees 'exit 111' || fail "no message is no temporary failure"

start av "$B/postern-bind" antivirus "$(id -un)" "$B/postern-antivirus" --serve --workers 2
ready() { grep -q 'antivirus ready' "$T/av.log"; }
wait_for 30 ready
examine @antivirus
expect_in "$T/out" '^pass  twenty-at-once:'
grep -A 1 '^pass  test-virus:' "$T/out" | sees 'exit 0, [1-9]' || fail "the test virus was not found"

# Without signatures every mail waits: that is told as what it is, and nothing else is wrong.
rm "$T"/db/*
"$B/postern-stagetest" --only answers-ordinary-mail --only exit-code --only test-virus --only utf8-addresses --only no-log \
  --only twenty-at-once --only client-gone "$B/postern-antivirus" > "$T/out" 2> "$T/err"
expect_equal $? 1 "without signatures"
expect_equal "$(sed -n 's/^FAIL *\([a-z0-9-]*\):.*/\1/p' "$T/out" | xargs)" answers-ordinary-mail "without signatures"
exit 0
