#!/bin/bash
# postern-cdbmake: a good table is compiled; a bad line names file, line and remedy, and the old table stays as it was.
. "$(dirname "$0")/../lib.sh"
make_home
control=$POSTERN_HOME/control
printf 'one.example\n.Below.Example\n' > "$control/morercpthosts"
"$B/postern-cdbmake" morercpthosts > "$T/log" 2>&1 || fail "$(cat "$T/log")"
expect_equal "$(stat -c %a "$control/morercpthosts.cdb")" 644 "mode"
cp "$control/morercpthosts.cdb" "$T/before"

printf 'two.example\nnot a domain\n' > "$control/morercpthosts"
"$B/postern-cdbmake" morercpthosts > "$T/log" 2>&1; expect_equal $? 100 "exit code for a bad line"
expect_in "$T/log" "^Critical: postern-cdbmake: unable to compile morercpthosts: $control/morercpthosts:2: \"not a domain\" is not a domain; write one a line"
cmp "$T/before" "$control/morercpthosts.cdb" || fail "the old table is gone"
[ ! -e "$control/morercpthosts.cdb.tmp" ] || fail "debris"

"$B/postern-cdbmake" > "$T/log" 2>&1; expect_equal $? 100 "exit code without a table"
expect_in "$T/log" 'name the tables to compile: .*morercpthosts'
"$B/postern-cdbmake" ../control/me > "$T/log" 2>&1; expect_equal $? 100 "exit code for no table"
expect_in "$T/log" 'there is no table'
rm "$control/morercpthosts"
"$B/postern-cdbmake" morercpthosts > "$T/log" 2>&1; expect_equal $? 111 "exit code without the file"
cmp "$T/before" "$control/morercpthosts.cdb" || fail "the old table is gone"
