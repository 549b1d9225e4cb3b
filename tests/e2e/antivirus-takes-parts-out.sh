#!/bin/bash
# once: the users do not matter to it
# repair and replace take exactly the infected part out of a message, wherever it stands and in either kind of line ends: Python's email
# and munpack, which know nothing of us, read what is left and find no EICAR in it. What cannot be taken out is quarantined.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/antivirus.sh"
need python3 zip munpack
make_clamdb
edited() { python3 -B "$TESTS/edited_mail.py" "$@"; }
printf '%s' "$EICAR" > "$T/eicar.com"
printf '%s\n' "$EICAR" > "$T/eicar.txt"
(cd "$T" && zip -q inner.zip eicar.com && zip -q eicar.zip inner.zip)
cp "$T/eicar.com" "$T/virüs \"x\".com"
settings() { printf '%s\n' "$@" > "$POSTERN_HOME/control/antivirus"; }
printf 'Fs@other.example\0Ta@mx.example.org\0Tb@mx.example.org\0\0' > "$T/envelope"
# scan_edit MAIL [VAR=VALUE]…: as scan, with the envelope, and the new message in $T/out.
scan_edit() {
  local file=$1; shift
  rm -f "$T/out"
  env POSTERN_MID=4711 "$@" "$B/postern-antivirus" < "$file" 3< "$T/envelope" 4> "$T/out" > "$T/verdict" 2> "$T/log"
}
munpack_finds_none() {
  rm -rf "$T/unpacked"; mkdir "$T/unpacked"
  (cd "$T/unpacked" && munpack -t -q -f "$1") > "$T/munpack.log" 2>&1 || { cat "$T/munpack.log"; fail "munpack cannot read $2"; }
  ! grep -rqF 'EICAR-STANDARD-ANTIVIRUS' "$T/unpacked" || fail "munpack finds EICAR in $2"
}

take_out() {  # HOW FILE KIND ENDS
  local what="$1 of $2 in $3, $4"
  settings "infected $1" 'infected quarantine Virus' 'infected stop'
  edited make "$3" "$T/$2" "$4" > "$T/mail"
  scan_edit "$T/mail" || fail "$what: exit $?: $(cat "$T/log")"
  if [ "$1" = repair ] && [ "$3" = single ]; then  # nothing would be left
    expect_in "$T/verdict" "^quarantine${TAB}Virus${TAB}Eicar-Test-Signature$"
    [ ! -s "$T/out" ] || fail "$what: a message is written"
    return
  fi
  expect_in "$T/verdict" '^message$'
  expect_not_in "$T/verdict" '^(quarantine|stop)'
  edited check "$1" "$T/mail" "$T/out" > "$T/note" || fail "$what"
  munpack_finds_none "$T/out" "$what"
  [ "$1" = repair ] && return
  expect_in "$T/note" "^    File:     \"$2\""
  expect_in "$T/note" '^    Finding:  a virus, Eicar-Test-Signature'
  expect_in "$T/note" "^    Date:     [A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} 20"
}
for how in replace repair; do
  for kind in single mixed nested rfc822 deep; do
    take_out $how eicar.com $kind lf
    take_out $how eicar.zip $kind crlf
  done
  take_out $how eicar.txt mixed lf
done

# A name that would break out of its quotes; a note by a template of the operator's own.
mkdir "$POSTERN_HOME/control/templates"
printf 'Entfernt: "$FileName" für $$5 wegen $VirusName\nFinding: $Finding\n' > "$POSTERN_HOME/control/templates/antivirus-note"
settings 'infected replace'
edited make mixed "$T/virüs \"x\".com" > "$T/mail"
scan_edit "$T/mail" || fail "a strange name: exit $?"
edited check replace "$T/mail" "$T/out" > "$T/note" || fail "a strange name"
expect_in "$T/note" '^Entfernt: "virüs \?x\?\.com" für \$5 wegen Eicar-Test-Signature$'
printf '$Nobody\n' > "$POSTERN_HOME/control/templates/antivirus-note"
scan_edit "$T/mail"; expect_equal $? 111 "a template with an unknown variable"
expect_in "$T/log" 'templates/antivirus-note: there is no variable \$Nobody; write \$\$'
rm "$POSTERN_HOME/control/templates/antivirus-note"

# Two readings: the part cannot be told with certainty. Nothing passes, with every way to say what becomes of it.
edited make mixed "$T/eicar.com" | sed 's/^Content-Type: multipart.*/&\n&/' > "$T/twice"
edited make mixed "$T/eicar.com" | sed '/^--=_mixed--/d' > "$T/open"
for mail in twice open; do
  for how in replace repair; do
    settings "infected $how" 'infected pass' 'infected subject [repaired]'
    scan_edit "$T/$mail" || fail "$mail: exit $?"
    expect_in "$T/verdict" "^quarantine${TAB}Virus${TAB}Eicar-Test-Signature$"
    expect_in "$T/verdict" '^stop$'
    expect_not_in "$T/verdict" '^message'
    settings "infected $how" 'infected delete'
    scan_edit "$T/$mail" && expect_in "$T/verdict" "^drop${TAB}Eicar-Test-Signature$"
  done
done
# By hand without descriptor 4 nothing can be edited, so nothing passes.
settings 'infected replace'
scan "$T/mail" || fail "without descriptor 4: exit $?"
expect_in "$T/verdict" "^quarantine${TAB}Virus"

# A release may exempt exactly one virus.
edited make mixed "$T/eicar.com" > "$T/mail"
settings '# the defaults'
exempt='POSTERN_EXEMPT=antivirus Eicar-Test-Signature'
scan "$T/mail" POSTERN_RELEASED=1 "$exempt" || fail "exempt: exit $?"
expect_equal "$(cat "$T/verdict")" "log${TAB}virus Eicar-Test-Signature is exempt: the release of this message says so" "exempt"
for variables in "$exempt" 'POSTERN_RELEASED=1 ' 'POSTERN_EXEMPT=antivirus Eicar'; do
  scan "$T/mail" "$variables" && expect_in "$T/verdict" "^quarantine${TAB}Virus"
done

# Another one still counts, also where only some readers look for one: uuencoded in front of the parts and behind them, and in a part
# below a boundary that is named twice.
echo "Other:0:*:$(printf 'the other virus' | od -An -tx1 | tr -d ' \n')" > "$T/db/other.ndb"
printf 'this is the other virus' > "$T/other"
hidden='begin 644 x
7=&AI<R!I<R!T:&4@;W1H97(@=FER=7,`
`
end'
{ cat "$T/mail"; printf '\n%s\n' "$hidden"; } > "$T/behind"
awk -v hidden="$hidden" '{ print } /^$/ && !done { print hidden; print ""; done = 1 }' "$T/mail" > "$T/front"
{
  printf 'Subject: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b; boundary=b\n\n'
  for file in eicar.com other; do
    printf -- '--b\nContent-Type: application/x\nContent-Transfer-Encoding: base64\n\n'
    base64 "$T/$file"
  done
  echo '--b--'
} > "$T/twice"
for hidden in behind front twice; do
  scan "$T/$hidden" POSTERN_RELEASED=1 "$exempt" || fail "another virus, $hidden: exit $?"
  expect_in "$T/verdict" "^quarantine${TAB}Virus${TAB}Other.UNOFFICIAL$"
done
rm "$T/db/other.ndb"

# What stands in conf-files is what holds without it.
cp "$TESTS/../conf-files/antivirus" "$POSTERN_HOME/control/antivirus" || fail "no conf-files/antivirus"
for direction in in out local; do
  scan "$T/mail" POSTERN_DIRECTION=$direction; cp "$T/verdict" "$T/with"
  mv "$POSTERN_HOME/control/antivirus" "$T/kept"
  scan "$T/mail" POSTERN_DIRECTION=$direction
  mv "$T/kept" "$POSTERN_HOME/control/antivirus"
  expect_equal "$(cat "$T/with")" "$(cat "$T/verdict")" "the defaults, $direction"
done
# A wrong line: named, with its remedy; nothing is scanned until it is right.
settings 'infected quarantine Virus' 'infected remove'
scan "$T/mail"; expect_equal $? 111 "a wrong line"
expect_in "$T/log" 'control/antivirus:2: "infected remove": there is no such action; write repair, replace'
exit 0
