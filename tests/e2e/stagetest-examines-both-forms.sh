#!/bin/bash
# once: the users do not matter to it
# postern-stagetest with stages that have no fault, in both forms; what it says of a fault; its options.
. "$(dirname "$0")/../lib.sh"
make_home
export TMPDIR=$T

examine() { "$B/postern-stagetest" "$@" > "$T/out" 2> "$T/err"; }
failed() { sed -n 's/^FAIL *\([a-z0-9-]*\):.*/\1/p' "$T/out" | xargs; }

[ "$("$B/postern-stagetest" --list | cut -f 1 | sort -u | wc -l)" -ge 60 ] || fail "fewer than 60 cases"

sample=$TESTS/../doc/samples/stage.shell
[ "$(wc -l < "$sample")" -le 20 ] || fail "the sample has more than 20 lines"
examine "$sample" || { cat "$T/out"; fail "the sample: exit $?"; }
expect_in "$T/out" '^[0-9]+ passed, 0 failed, [0-9]+ skipped$'
[ "$(grep -c '^pass ' "$T/out")" -ge 100 ] || fail "few cases were run"

examine "$T/none"
expect_equal "$? $(failed)" "1 starts" "a program that is not there"

# A fault that shows is told with the remedy, and the others once only.
examine --only verdict-complete "$TESTS/stages/bad-half-verdict.sh"
expect_equal $? 1 "one case that fails"
expect_in "$T/out" '^      seen: the last line is "sto" without an LF$'
expect_in "$T/out" '^      remedy: print whole lines'
expect_in "$T/out" '^0 passed, 1 failed, 0 skipped$'
examine --only empty-message "$TESTS/stages/bad-half-verdict.sh" && fail "a case that is named is judged, whatever else is wrong"

# An operator's own message beside the ordinary ones.
cat > "$T/picky" <<'S'
#!/bin/sh
message=$(cat) || exit 111
case $message in *"the magic word"*) printf 'quarantin\tPolicy\tmagic\n' ;; esac
exit 0
S
chmod +x "$T/picky"
examine --only verbs-known "$T/picky" || fail "nothing triggers it: $(cat "$T/out")"
mail "the magic word" > "$T/mail"
examine --only verbs-known --message "$T/mail" "$T/picky"
expect_equal "$(failed)" verbs-known "with a message of one's own"

# The resident form: residents of scripts, good and bad.
start sample "$B/postern-serve" --workers 4 run/sample "$sample"
start half "$B/postern-serve" --workers 4 run/half "$TESTS/stages/bad-half-verdict.sh"
start forgets "$B/postern-serve" --workers 4 run/forgets "$TESTS/stages/bad-forgets.sh"
for name in sample half forgets; do wait_for 30 test -S "$POSTERN_HOME/run/$name"; done
examine @sample || { cat "$T/out"; fail "the sample as a resident: exit $?"; }
expect_in "$T/out" '^pass  twenty-on-a-connection:'
expect_in "$T/out" '^skip  leaves-no-children:'
examine @half
expect_equal "$(failed)" verdict-complete "half a verdict from a resident"
examine @forgets
expect_equal "$(failed)" same-answer-again "two answers from a resident"
examine --timeout 1 @nobody
expect_equal $? 1 "a resident that is not there"
expect_equal "$(failed)" starts "a resident that is not there"

# Usage.
for arguments in "" "--only no-such-case /bin/true" "--timeout 0 /bin/true" "--timeout" "--what x" "@" "@a b"; do
  examine $arguments
  expect_equal $? 100 "usage: $arguments"
done
examine --message "$T/none" /bin/true
expect_equal $? 111 "a message that cannot be read"
# Nothing is left.
expect_equal "$(find "$T" -maxdepth 1 -name 'postern-stagetest.*')" "" "scratch directories"
exit 0
