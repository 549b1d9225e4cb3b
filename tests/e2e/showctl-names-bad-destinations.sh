#!/bin/bash
# once: the users do not matter to it
# postern-showctl names file, line and remedy of what is wrong in control/destinations; postern-send does not
# start with it, and says the same. Nor may what counts for addresses be missing.
. "$(dirname "$0")/../lib.sh"
make_signatures
make_own_instance --local home.example --user alice --clamdb "$T/clamdb"
table=$POSTERN_HOME/control/destinations
problem() {  # CONTENT PATTERN
  printf '%b' "$1" > "$table"
  "$B/postern-showctl" > "$T/out"; expect_equal $? 1 "exit code with $1"
  expect_in "$T/out" "^problem: $table: read control/destinations line $2"
  expect_equal "$(grep -c ^problem "$T/out")" 1 "problems with $1"
}
good='# ours\nDEFAULT max_host_concurrency=20\n'
printf '%b' "${good}far.example limit_type=mxip limit_apply=vg max_host_concurrency=3\n" > "$table"
"$B/postern-showctl" > "$T/out" || { cat "$T/out"; fail "a good table is a problem"; }
rm -r "$POSTERN_HOME/db/limits"
"$B/postern-showctl" > "$T/out"; expect_equal $? 1 "exit code where addresses cannot be counted"
expect_in "$T/out" "^problem: $POSTERN_HOME/db/limits: there is none, .*; run postern-init $POSTERN_HOME\$"
printf '%b' "${good}" > "$table"
"$B/postern-showctl" > "$T/out" || { cat "$T/out"; fail "nothing counts for addresses"; }
problem "${good}far.example limit_type=mx\n" '3: limit_type=mx: it is one of host, mxip, 0, 1$'
problem "${good}far.example limit_apply=gateway\n" '3: limit_apply=gateway: it is one of system, vg, 0, 1$'
problem "${good}far.example max_host_concurrency=0\n" '3: max_host_concurrency=0: it is a number from 1 to 10000$'
problem "${good}far.example recipient_minutes=61\n" '3: recipient_minutes=61: it is a number from 1 to 60$'
problem "${good}far.example recipients=5\n" '3: "recipients=5" is no PARAMETER=VALUE with one of .*, recipient_limit, '
problem "${good}\nfar.example table_tls=often\n" '4: table_tls=often: it is one of off, may, encrypt, dane, '
problem "${good}far.example max_host_concurrency=3\nFAR.example bounce_validation=on\n" '4: there is a line for it before$'
rm "$table"
"$B/postern-showctl" > "$T/out" || { cat "$T/out"; fail "no table is a problem"; }
echo 'far.example limit_type=mx' > "$table"
"$B/postern-send" > "$T/log" 2>&1; expect_equal $? 111 "postern-send with a bad table"
expect_in "$T/log" "Critical: postern-send: unable to start: read control/destinations line 1: limit_type=mx: it is one of host, mxip"
