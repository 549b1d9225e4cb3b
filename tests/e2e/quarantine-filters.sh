#!/bin/bash
# list, release, delete and move take filters; --json prints what a program can read; audit says what was done and by whom.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/quarantine.sh"
need jq
make_store
cat > "$T/receiver" <<'S'
#!/bin/sh
cat > "$POSTERN_HOME/store/$POSTERN_MID.message"
S
chmod +x "$T/receiver"
export POSTERN_RELEASE_TO=$T/receiver POSTERN_QUEUE=$T/receiver
one() {  # MID SENDER RECIPIENT SUBJECT NAME REASON…
  printf 'Subject: %s\n\nx\n' "$4" > "$T/mail"
  printf 'F%s\0T%s\0\0' "$2" "$3" > "$T/envelope"
  env POSTERN_MID="$1" TCPREMOTEIP=192.0.2.7 "$B/postern-quarantine" put "${@:5}" < "$T/mail" 3< "$T/envelope" 2> "$T/log" || fail "put $1"
}
one 1 Anna@Example.org bob@example.net 'Offer: 100% off_' Virus Eicar-Test
one 2 '' carol@example.net 'second' Policy 'a word' Virus other
one 3 eve@example.com '"a\b" x@example.net' "$(printf 'caf\xc3\xa9 "quoted" \xff')" Spam points
expect_list() { expect_equal "$(quarantine list "${@:2}" | cut -f1 | sort -u | tr '\n' ' ')" "$1" "list ${*:2}"; }
expect_list '1 2 3 '
expect_list '1 2 ' --quarantine Virus
expect_list '1 2 ' Virus
expect_list '1 ' --sender anna@
expect_list '2 ' --sender '<>'
expect_list '3 ' --recipient X@EXAMPLE
expect_list '1 ' --subject '100% OFF_'
expect_list '' --subject '1%off'
expect_list '2 ' --reason 'A Word'
expect_list '1 2 3 ' --newer 1h
expect_list '' --older 1h
expect_list '1 2 3 ' --older 0s
expect_list '2 3 ' --mid 3 --mid 2
expect_list '1 2 ' --limit 2
expect_list '2 ' --quarantine Virus --recipient carol --newer 1d
expect_list '' --quarantine Virus --recipient eve
expect_equal "$(quarantine list Virus --mid 2 | cut -f2)" Virus "only the line of the quarantine that was asked for"

quarantine list --json > "$T/json" || fail "list --json"
expect_equal "$(jq -r '.[] | .mid' "$T/json" | tr '\n' ' ')" '1 2 3 ' "json"
expect_equal "$(jq -c '.[1] | [.sender, .recipients[0].address, .in_other_quarantines, [.quarantines[] | [.name, .reason, .state, .expires, .action]]]' "$T/json")" \
  '["","carol@example.net",true,[["Policy","a word","held",null,null],["Virus","other","held",null,null]]]' "json of one"
expect_equal "$(jq -r '.[2].recipients[0].address, .[2].subject_hex, .[2].variables.TCPREMOTEIP' "$T/json")" '"a\b" x@example.net
636166c3a9202271756f7465642220ff
192.0.2.7' "json of odd bytes"
expect_equal "$(quarantine list --json --mid 9 | jq -c .)" '[]' "json of nothing"

# Wrong use names the word.
wrong() { quarantine "${@:2}" > "$T/out"; expect_equal $? 100 "${*:2}"; expect_in "$T/log" "$1"; expect_equal "$(cat "$T/out")" "" "${*:2}"; }
wrong 'there is no option "--what"' list --what
wrong 'sender needs a value' list --sender
wrong 'is no age' list --older soon
wrong 'is no age' list --older 99999999999999999999d
wrong 'takes a number' list --limit 0
wrong 'is no message' list --mid 0
wrong 'is no quarantine' list --quarantine a/b
wrong 'say which messages' release
wrong 'say which messages' delete --limit 3
wrong 'say --to' move 1
wrong 'no option' delete --from Virus 1
wrong 'is no exemption' release --except antivirus 1
wrong 'is no exemption' release --except $'antivirus a\nb' 1
wrong 'has 1 to 1003 bytes' list --sender "$(printf 'x%.0s' $(seq 1004))"

quarantine delete --subject SECOND || fail "delete by subject: $(cat "$T/log")"
expect_list '1 3 '
quarantine move --quarantine Spam --to Policy --newer 1h || fail "move by filter: $(cat "$T/log")"
quarantine release --sender anna --quarantine Virus > "$T/out" || fail "release by filter: $(cat "$T/log")"
expect_in "$T/out" '^1 released as [0-9]+ accepted$'
expect_list '3 '
quarantine release --sender nobody > "$T/out" || fail "a filter that meets nothing"
expect_equal "$(cat "$T/out")" "" "nothing released"

who="uid $(id -u)"
[ "$(id -u)" != 0 ] || { who="uid 0 \\(sudo user alice\\)"; export SUDO_USER=alice; }
quarantine release --except "antivirus Eicar-Test-Signature" 3 > "$T/out" || fail "release with an exemption: $(cat "$T/log")"
expect_in "$T/log" "^Info: MID 3 released with an exemption from \"antivirus Eicar-Test-Signature\" by $who$"
quarantine audit 3 > "$T/audit" || fail audit
expect_equal "$(cut -f2-4 "$T/audit")" "3${TAB}moved${TAB}Spam
3${TAB}asked${TAB}
3${TAB}released${TAB}" "audit"
expect_in "$T/audit" "released${TAB}${TAB}$who${TAB}[0-9]+${TAB}accepted${TAB}antivirus Eicar-Test-Signature$"
quarantine audit 2 > "$T/audit" || fail "audit of a deletion"
expect_equal "$(cut -f3,4 "$T/audit")" "deleted${TAB}Policy
deleted${TAB}Virus" "audit of a deletion"
quarantine audit 99; expect_equal $? 100 "audit of nothing"
exit 0
