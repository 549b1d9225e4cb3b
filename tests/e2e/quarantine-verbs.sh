#!/bin/bash
# put, list, show and delete: what goes in comes out, one line a message, and nothing in a message forges a line.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/quarantine.sh"
make_store
expect_equal "$(quarantine list)" "" "an empty store"

mail_file "hello there"
put 482 Virus 'Eicar-Test-Signature' POSTERN_DIRECTION=in TCPREMOTEIP=192.0.2.1 || fail "put: exit $?: $(cat "$T/log")"
expect_equal "$(cat "$T/log")" 'Info: MID 482 quarantined to "Virus" (Eicar-Test-Signature)' "log of put"
cp "$T/mail" "$T/first"
printf 'Subject: two\tfields\r\n and a fold\nTo: x\n\n\0\377body' > "$T/mail"
printf 'F\0T"a\tb"@example.net\0\0' > "$T/envelope"
put 481 'Policy 2' $'odd\treason\nMID 1' || fail "put: exit $?"
expect_equal "$(cat "$T/log")" 'Info: MID 481 quarantined to "Policy 2" (odd\x09reason\x0aMID 1)' "log of put, forged"

quarantine list > "$T/list" || fail "list: exit $?"
expect_equal "$(wc -l < "$T/list")" 2 "lines"
expect_equal "$(cut -f1,2,4-8 "$T/list")" "481${TAB}Policy 2${TAB}$(stat -c %s "$T/mail")${TAB}<>${TAB}<\"a\x09b\"@example.net>${TAB}two\x09fields and a fold${TAB}odd\x09reason\x0aMID 1
482${TAB}Virus${TAB}$(stat -c %s "$T/first")${TAB}<a@example.org>${TAB}<b@example.net>,<c@example.net>${TAB}hello there${TAB}Eicar-Test-Signature" "the list"
expect_equal "$(cut -f9,10 "$T/list" | sort -u)" "$TAB" "no other quarantine, no end"
cut -f3 "$T/list" | sees -vE '^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]Z$' && fail "dates: $(cut -f3 "$T/list")"
expect_equal "$(quarantine list Virus | cut -f1)" 482 "one quarantine"
expect_equal "$(quarantine list Other)" "" "a quarantine without messages"

quarantine show 482 | cmp - "$T/first" || fail "show 482"
quarantine show 481 | cmp - "$T/mail" || fail "show 481"

# A mid that is taken, in whatever quarantine: another one, and the log says which.
mail_file again
put 482 Policy again || fail "put of a taken mid: exit $?"
expect_in "$T/log" 'MID 482 quarantined to "Policy" \(again\)'
expect_in "$T/log" 'MID 482 rewritten to [0-9]+ by quarantine "Policy"'
expect_equal "$(quarantine list | wc -l)" 3 "after a taken mid"

quarantine delete 482 || fail "delete: exit $?"
expect_equal "$(cat "$T/log")" 'Info: MID 482 deleted from quarantine "Virus" (by operator)' "log of delete"
quarantine delete 482
expect_equal $? 100 "delete again"
expect_in "$T/log" 'unable to delete message 482: it is in no quarantine'
quarantine show 482
expect_equal $? 100 "show what is gone"
quarantine release 482
expect_equal $? 100 "release what is gone"
quarantine delete 482 481
expect_equal $? 100 "delete, one unknown"
expect_equal "$(quarantine list | wc -l)" 1 "the other was deleted"

# Wrong use says how to use it.
refused() {
  quarantine "$@" < "$T/mail" 3< "$T/envelope"
  expect_equal $? 100 "$*"
  expect_in "$T/log" 'usage: postern-quarantine put NAME REASON'
}
refused
refused forget 1
refused show
refused show 1 2
refused show x
refused delete
refused release 0
refused list a b
refused put Virus
for name in '' '../x' 'a/b' . '-x' ' x' 'x ' $'a\nb' 'ä' "$(printf 'x%.0s' $(seq 65))"; do refused put "$name" reason; done
ls "$POSTERN_HOME" | sees -x x && fail "a name has left the store"

# put answers as the queue interface does.
printf 'Fa@example.org' > "$T/envelope"
put 500 Virus cut; expect_equal $? 91 "a cut envelope"
"$B/postern-quarantine" put Virus none < "$T/mail" 3<&- 2> "$T/log"; expect_equal $? 91 "no envelope"
rm -rf "$POSTERN_HOME/quarantine"
mail_file x
put 501 Virus x; expect_equal $? 61 "no store"
expect_in "$T/log" 'does not exist; postern-init makes it'
exit 0
