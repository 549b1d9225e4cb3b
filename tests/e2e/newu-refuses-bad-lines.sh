#!/bin/bash
# postern-newu: a wrong line stops it with file, line and remedy, and the old table stays; a right file replaces it in one step.
. "$(dirname "$0")/../lib.sh"

make_home
mkdir "$POSTERN_HOME/users"
assign=$POSTERN_HOME/users/assign
"$B/postern-newu" 2> "$T/log" && fail "no users/assign and yet done"
expect_in "$T/log" 'users/assign.*No such file'

printf '=joe:joe:1001:1001:/home/joe:::\n.\n' > "$assign"
"$B/postern-newu" || fail "a right file was refused"
cp "$POSTERN_HOME/users/cdb" "$T/first"
expect_equal "$(stat -c %a "$POSTERN_HOME/users/cdb")" 644 "mode of users/cdb"

for line in '=joe:joe:0:0:/root:::' '=joe:joe:x:1:/home/joe:::' 'joe:joe:1:1:/home/joe:::' '=joe:joe:1:1:home:::' '=joe:joe:1:1:/home/joe:'; do
  printf '=ann:ann:1002:1002:/home/ann:::\n%s\n.\n' "$line" > "$assign"
  "$B/postern-newu" 2> "$T/log"
  expect_equal $? 100 "exit code for $line"
  expect_in "$T/log" "^Critical: postern-newu: unable to make users/cdb: $assign:2: "
  cmp -s "$T/first" "$POSTERN_HOME/users/cdb" || fail "the table has changed after $line"
done
printf '=ann:ann:1002:1002:/home/ann:::\n' > "$assign"
"$B/postern-newu" 2> "$T/log" && fail "a file without its last line was taken"
expect_in "$T/log" ':2: the last line, a dot alone, is missing'
expect_equal "$(ls "$POSTERN_HOME/users")" $'assign\ncdb' "files left"
