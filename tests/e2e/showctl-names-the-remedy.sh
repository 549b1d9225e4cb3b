#!/bin/bash
# postern-showctl prints every setting, and for each that is wrong the file, the line, what is wrong and what to do.
. "$(dirname "$0")/../lib.sh"
make_signatures
make_instance --local home.example --clamdb "$T/clamdb"
"$B/postern-showctl" > "$T/out" || { cat "$T/out"; fail "a fresh instance has a problem"; }
expect_in "$T/out" "^home: $POSTERN_HOME$"
expect_in "$T/out" '^me: mx.example.org$'
expect_in "$T/out" '^locals: home.example$'
expect_in "$T/out" '^remoteport: 25 \(default\)$'
expect_not_in "$T/out" '^problem'

control=$POSTERN_HOME/control
problem() {  # FILE CONTENT PATTERN
  [ -e "$control/$1" ] && cp "$control/$1" "$T/kept"
  printf '%b' "$2" > "$control/$1"
  "$B/postern-showctl" > "$T/out"; expect_equal $? 1 "exit code with a bad $1"
  expect_in "$T/out" "^problem: $control/$1:?$3"
  expect_equal "$(grep -c ^problem "$T/out")" 1 "problems with a bad $1"
  rm "$control/$1"
  [ -e "$T/kept" ] && mv "$T/kept" "$control/$1"
}
problem concurrencylocal 'ten\n' '1: "ten" is not a number; write decimal digits only$'
problem timeoutsmtpd '-1\n' '1: "-1" is not a number'
problem queuelifetime '' '1: "" is not a number'
problem me 'a host\n' '1: "a host" is not a host name; write'
problem locals '# mine\nhome.example\nx@y\n' '3: "x@y" is not a domain; write one a line'
problem smtproutes 'a:b\nno-colon\n' '2: "no-colon" is wrong: it has no colon; write DOMAIN:HOST'
problem resolver '127.0.0.1\n' '1: "127.0.0.1" is not ADDR:PORT; write'
problem ldap '# x\nserver s\nuri http://x\n' '3: uri http://x: it is one or more of ldap'
problem clamdb '/none/at/all\n' '1: "/none/at/all" is not a directory; make it, or name the right one$'
problem stages '# comment\nantivirus\n' '2: "antivirus" names no program; write a name and a program$'
problem antivirus 'infected repair\nvirus delete\n' '2: "virus delete" names no verdict; begin it with clean, infected'
problem antivirus 'infected@up delete\n' '1: "infected@up delete" names no direction; write in, out or local'
problem antivirus '# x\ninfected remove\n' '2: "infected remove" names no action; postern-antivirus'
problem antivirus 'infected redirect\n' '1: "infected redirect" has too much or too little behind its action'
problem quarantines '# comment\nVirus retention=soon\n' '2: "Virus retention=soon" has no retention that could be read; write NAME retention=30d'
problem concurrencyremot '5\n' ' no program reads a file of that name; rename or remove it$'
problem me 'x\033[31my\\n/../\n' '1: "x.x1b\[31my'
problem pickupusers "4242424\n" " [^ ]+, the owner of alias/, is not named, so what aliases forward waits; add a line"
stat -c %u "$POSTERN_HOME/alias" > "$control/pickupusers"
"$B/postern-showctl" > "$T/out" || { cat "$T/out"; fail "the owner of alias/ is listed"; }
rm "$control/pickupusers"
# The programs that read such a file say it in the same words and do not start.
echo ten > "$control/retryfirst"
"$B/postern-send" > "$T/log" 2>&1; expect_equal $? 111 "postern-send with a bad retryfirst"
expect_in "$T/log" 'Critical: postern-send: unable to start: .*control/retryfirst.*ten'
rm "$control/retryfirst"
# Several at once: all are named.
echo x > "$control/retryfirst"; echo y > "$control/backlog"
"$B/postern-showctl" > "$T/out"; expect_equal $? 1 "two problems"
expect_equal "$(grep -c ^problem "$T/out")" 2 "problems"
POSTERN_HOME=$T/none "$B/postern-showctl" > "$T/out" 2> "$T/log"; expect_equal $? 111 "no instance"
expect_in "$T/log" 'make an instance with postern-init'
"$B/postern-showctl" --what 2> "$T/log"; expect_equal $? 100 "a wrong option"
# Nothing runs: every socket that is missing is named.
"$B/postern-showctl" --ready > "$T/out"; expect_equal $? 1 "nothing runs"
for service in scanq queue lspawn rspawn dnsq antivirus quarantine; do expect_in "$T/out" "run/$service: No such file"; done
exit 0
