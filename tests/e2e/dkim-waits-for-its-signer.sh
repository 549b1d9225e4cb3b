#!/bin/bash
# Mail that has to be signed does not go out unsigned: without @signq, or with a key that it cannot use, it is refused for now, and goes
# when that is mended. What has not to be signed does not wait, and keys are for signq's eyes alone.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/dkim.sh"
need python3
/usr/bin/python3 -c 'import dkim' 2> /dev/null || skip "python3-dkim is not installed"
SINK=$(free_port)
make_instance --local home.example --user alice --route "far.example:127.0.0.2:$SINK"
echo none > "$POSTERN_HOME/control/stages"
start_sink "$SINK"
sign_with home.example s
key=$POSTERN_HOME/secrets/posterng/s.home.example.pem
run_instance
dkim_table 'home.example s s.home.example.pem'
letter() { printf 'From: <a@home.example>\nTo: <x@far.example>\nSubject: %s\n\nhello\n' "$1"; }
stop_service signq
letter away | inject a@home.example x@far.example > "$T/answer" && fail "taken without its signer"
expect_in "$T/answer" '^451 4\.3\.0 a service inside does not answer'
letter home | inject a@home.example alice@home.example > "$T/answer" || fail "local mail waits: $(cat "$T/answer")"
chmod 644 "$key"
start_service signq
reported() { logged signq 'others can read it'; }
wait_for 30 reported
letter open | inject a@home.example x@far.example > "$T/answer" && fail "taken with a key that others may read"
chmod 600 "$key"
taken() { letter mended | inject a@home.example x@far.example > "$T/answer"; }
wait_for 60 taken
# A broken table changes nothing, and is told.
dkim_table 'home.example s s.home.example.pem' 'home.example t nothing.pem'
letter kept | inject a@home.example x@far.example > "$T/answer" || fail "with a broken table: $(cat "$T/answer")"
wait_for 30 logged signq 'line 2 of control/dkim: read the secret .*nothing\.pem: No such file'
wait_for 30 sink_has 2
diff <(verified) - << L || fail "what went out"
mended: s.home.example pass
kept: s.home.example pass
L
echo 'home.example' > "$POSTERN_HOME/control/dkim"
"$B/postern-showctl" > "$T/showctl"
expect_in "$T/showctl" 'control/dkim:1: "home\.example" is no line of control/dkim: it is too short'
if [ "$(id -u)" = 0 ]; then
  expect_equal "$(stat -c '%U %a' "$key" "$POSTERN_HOME/secrets/posterng" | paste -sd,)" "posterng 600,posterng 700" "owner and mode"
  setpriv --reuid posternq --regid postern --clear-groups cat "$key" 2> /dev/null && fail "posternq reads the key"
  setpriv --reuid posterns --regid postern --clear-groups env "POSTERN_HOME=$POSTERN_HOME" "$B/postern-ask" @signq sign a@home.example \
    < "$T/answer" > "$T/out" 2>&1 && fail "posterns is answered"
fi
exit 0
