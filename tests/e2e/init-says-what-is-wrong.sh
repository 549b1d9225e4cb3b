#!/bin/bash
# Wrong options: exit code 100, which one and what it should be; nothing is made.
. "$(dirname "$0")/../lib.sh"
wrong() {  # PATTERN OPTION…
  local pattern=$1; shift
  "$B/postern-init" "$@" > "$T/log" 2>&1; expect_equal $? 100 "exit code of postern-init $*"
  expect_in "$T/log" "$pattern"
  [ ! -e "$T/new" ] || fail "postern-init $* made something"
}
wrong 'usage: postern-init DIR'
wrong 'usage: postern-init DIR' --me
wrong 'usage: postern-init DIR' --help
wrong '--me needs a value' "$T/new" --me
wrong 'unknown option --you' "$T/new" --you x
wrong '--me a b: should be a host name' "$T/new" --me "a b"
wrong '--listen 25: should be ADDR:PORT' "$T/new" --listen 25
wrong '--listen 127.0.0.1:0: should be' "$T/new" --listen 127.0.0.1:0
wrong '--listen 127.0.0.1:70000: should be' "$T/new" --listen 127.0.0.1:70000
wrong '--listen localhost:25: should be' "$T/new" --listen localhost:25
wrong '--local a/b: should be a domain' "$T/new" --local a/b
wrong '--user ../root: should be a name' "$T/new" --user ../root
wrong '--user a:b: should be' "$T/new" --user a:b
wrong '--user Alice: should be' "$T/new" --user Alice
wrong '--route x: should be DOMAIN:HOST:PORT, or another line of control/smtproutes' "$T/new" --route x
wrong '--route x:y:z: should be' "$T/new" --route x:y:z
wrong '--resolver x: should be' "$T/new" --resolver x
wrong '--clamdb x: should be an absolute path' "$T/new" --clamdb x
"$B/postern-init" "$T/none/new" > "$T/log" 2>&1; expect_equal $? 111 "a directory that cannot be made"
expect_in "$T/log" 'make .*/none/new: No such file'
touch "$T/file"
"$B/postern-init" "$T/file" > "$T/log" 2>&1; code=$?
[ $code = 100 ] || [ $code = 111 ] || fail "exit code $code with a file in the way"
expect_in "$T/log" 'file'
# IPv6 and a smarthost for everything are fine.
"$B/postern-init" "$T/six" --listen "[::1]:2525" --route :127.0.0.2:25 > "$T/log" 2>&1 || { cat "$T/log"; fail "IPv6"; }
expect_in "$T/six/service/smtpd/run" "'tcp:\\[::1\\]':2525"
