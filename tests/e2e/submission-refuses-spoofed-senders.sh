#!/bin/bash
# R25: with check_user a user sends as himself and as control/sendas allows, in the envelope and in the header; anything else is 5.7.1,
# and nothing of it is queued. R26: a user beyond the messages or connections that his policy lets a user have is told to come later, wherever
# he comes from; others go on.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/auth.sh"
need python3 tcpserver
make_instance --local home.example --user alice
echo none > "$POSTERN_HOME/control/stages"
run_instance
add_user alice pencil && add_user bob@home.example crayon
printf 'alice: sales@home.example, @shop.example\n# bob has no line\n' > "$POSTERN_HOME/control/sendas"
submission auth=required auth_without_tls=on check_user=on
# attempt EXPECTED USER SENDER HEADER-LINE…
attempt() {
  local expected=$1 user=$2 sender=$3 password=pencil got; shift 3
  [ "$user" = alice ] || password=crayon
  got=$(python3 "$TESTS/auth.py" send "$SUBMIT" "$user" $password "$sender" alice@home.example "$@")
  expect_equal "${got:0:9}" "$expected" "$user as $sender: $* ($got)"
}
OK='250 2.0.0' NO='550 5.7.1'
attempt "$OK" alice alice@home.example 'From: Alice <alice@home.example>'
attempt "$OK" alice Sales@Home.Example 'From: "sales@home.example" <alice@home.example>' 'Sender: alice@home.example'
attempt "$OK" alice x@shop.example 'From: us: alice@home.example, y@shop.example;'
attempt "$OK" alice '' 'From: alice@home.example'
attempt "$OK" bob@home.example bob@home.example 'From: bob@home.example'
attempt '553 5.7.1' alice bob@home.example 'From: alice@home.example'
attempt '553 5.7.1' bob@home.example sales@home.example 'From: bob@home.example'
attempt '553 5.7.1' alice alice@other.example 'From: alice@home.example'
attempt "$NO" alice alice@home.example 'From: Bob <bob@home.example>'
attempt "$NO" alice alice@home.example 'From: alice@home.example, bob@home.example'
attempt "$NO" alice alice@home.example 'From: all: bob@home.example;, alice@home.example'
attempt "$NO" alice alice@home.example 'From: bob@home.example <alice@home.example>'
attempt "$NO" alice alice@home.example 'From: "bob@home.example" <alice@home.example>'
attempt "$NO" alice alice@home.example 'From: =?utf-8?B?Ym9iQGhvbWUuZXhhbXBsZQ==?= <alice@home.example>'
attempt "$NO" alice alice@home.example 'From: =?utf-8?Q?bob=40home.example=00?= <alice@home.example>'
attempt "$NO" alice alice@home.example 'From: alice@home.example (bob@home.example)'
attempt "$NO" alice alice@home.example 'From: alice@home.example' 'From: bob@home.example'
attempt "$NO" alice alice@home.example 'From: alice@home.example' 'no field' 'fROM : bob@home.example'
attempt "$NO" alice alice@home.example 'From: alice@home.example' 'Sender: bob@home.example'
attempt "$NO" alice alice@home.example 'Subject: nobody'
attempt "$NO" alice alice@home.example 'From: Alice'
attempt "$OK" alice alice@home.example 'From: alice@home.example' 'Reply-To: bob@home.example'
expect_in "$T/submission.log" 'rejected: 550 5\.7\.1 user alice may not send as bob@home\.example \(From:\)'
wait_for 30 eval "mailbox alice | wc -l | grep -qx 6"
# A broken table lets nobody through.
echo 'alice sales@home.example' > "$POSTERN_HOME/control/sendas"
attempt '421 4.3.5' alice alice@home.example 'From: alice@home.example'
"$B/postern-showctl" > "$T/showctl" && fail "showctl finds nothing wrong"
expect_in "$T/showctl" 'control/sendas:1: .* names no user; write USER: ADDRESS, @DOMAIN'
# Thresholds of a user.
submission_policy auth=required auth_without_tls=on max_messages_per_minute=3
for _ in 1 2 3; do attempt "$OK" alice alice@home.example 'From: alice@home.example'; done
attempt '452 4.7.1' alice alice@home.example 'From: alice@home.example'
attempt "$OK" bob@home.example bob@home.example 'From: bob@home.example'
submission_policy auth=required auth_without_tls=on max_connections_per_user=1
mkfifo "$T/hold"
python3 "$TESTS/auth.py" hold "$SUBMIT" alice pencil < "$T/hold" > "$T/held" &
HOLDER=$!
exec 9> "$T/hold"
wait_for 30 grep -q '^235 ' "$T/held"
expect_equal "$(login --from 127.0.0.9 alice pencil | cut -c1-9)" '421 4.7.0' "a second connection of alice"
expect_equal "$(login --from 127.0.0.9 bob@home.example crayon | cut -c1-4)" '235 ' "bob beside her"
exec 9>&-
wait "$HOLDER"
come_back() { [ "$(login alice pencil | cut -c1-4)" = '235 ' ]; }
wait_for 30 come_back
