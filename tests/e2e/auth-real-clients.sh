#!/bin/bash
# AUTH through an instance, by clients of others: swaks and smtplib with PLAIN and LOGIN, gsasl with SCRAM-SHA-256 too. Who has
# authenticated may send anywhere; nobody else may; Received: says how it came. No log has a password.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/auth.sh"
need swaks gsasl python3 tcpserver
SINK=$(free_port)
make_instance --local home.example --user alice --route "far.example:127.0.0.2:$SINK"
echo none > "$POSTERN_HOME/control/stages"
start_sink "$SINK"
USERS=$POSTERN_HOME/secrets/posterni/users
add_user alice 'Pencil 1' && add_user Bob@Home.Example crayon --no-scram && add_user carol chalk --scram-only
expect_equal "$(stat -c %a "$USERS")" 600 "the users' mode"
expect_in "$USERS" '^alice:\$y\$[^:]*:SCRAM-SHA-256\$65536:'
expect_in "$USERS" '^bob@home.example:\$y\$[^:]*:$'
expect_in "$USERS" '^carol::SCRAM-SHA-256'
expect_equal "$("$B/postern-passwd" --list | tr '\n\t' ' =')" 'alice=plain,scram bob@home.example=plain carol=scram '
printf '\n' | "$B/postern-passwd" dave 2> /dev/null && fail "an empty password"
printf 'x\n' | "$B/postern-passwd" 'a:b' 2> /dev/null && fail "a name with a colon"
run_instance
TLS=TLSv1.3 submission auth=required

# send OPTIONS…: swaks to far.example
send() {
  swaks --server 127.0.0.1:"$SUBMIT" --from a@home.example --to x@far.example --h-Subject "$1" --timeout 60 "${@:2}" > "$T/swaks" 2>&1
}
send plain --auth PLAIN --auth-user alice --auth-password 'Pencil 1' || { cat "$T/swaks"; fail "swaks PLAIN"; }
send login --auth LOGIN --auth-user BOB@home.example --auth-password crayon || { cat "$T/swaks"; fail "swaks LOGIN"; }
wait_for 30 grep -q '^Subject: plain' "$T/sink.messages"
wait_for 30 grep -q '^Subject: login' "$T/sink.messages"
expect_in "$T/sink.messages" ' with ESMTPSA id '
send wrong --auth PLAIN --auth-user alice --auth-password 'pencil 1' && fail "a wrong password"
expect_in "$T/swaks" '<\*\* 535 5\.7\.8 '
send none && fail "nobody was let in"
expect_in "$T/swaks" '<\*\* 530 5\.7\.0 '

for mechanism in PLAIN LOGIN; do
  expect_equal "$(python3 "$TESTS/auth.py" smtplib "$SUBMIT" $mechanism alice 'Pencil 1')" authenticated "smtplib $mechanism"
  expect_equal "$(python3 "$TESTS/auth.py" smtplib "$SUBMIT" $mechanism carol chalk)" '535 5.7.8 authentication failed' "carol's $mechanism"
done

# scram USER PASSWORD
scram() {
  gsasl --smtp --client --no-starttls --mechanism SCRAM-SHA-256 --authentication-id "$1" --authorization-id '' --password "$2" \
    --connect "127.0.0.1:$SUBMIT" < /dev/null > "$T/gsasl" 2>&1
}
scram alice 'Pencil 1' || { cat "$T/gsasl"; fail "SCRAM"; }
expect_in "$T/gsasl" '^235 2\.7\.0 '
scram carol chalk || { cat "$T/gsasl"; fail "carol's SCRAM"; }
for who in 'carol Chalk' 'bob@home.example crayon' 'nobody chalk'; do
  scram ${who% *} "${who#* }" && fail "SCRAM of $who"
  expect_in "$T/gsasl" '^535 5\.7\.8 '
done
"$B/postern-passwd" --delete carol && scram carol chalk && fail "carol is still there"

expect_in "$T/submission.log" 'Info: SMTP Auth: \(ICID [0-9]+\) succeeded for user: alice using AUTH mechanism: PLAIN$'
expect_in "$T/submission.log" 'succeeded for user: alice using AUTH mechanism: SCRAM-SHA-256$'
expect_in "$T/submission.log" 'failed for user: nobody using AUTH mechanism: SCRAM-SHA-256$'
for secret in 'Pencil 1' crayon chalk; do
  for form in "$secret" "$(printf %s "$secret" | base64)" "$(printf '\0alice\0%s' "$secret" | base64)" "$(printf '\0bob@home.example\0%s' "$secret" | base64)"; do
    ! grep -rF -- "$form" "$POSTERN_HOME/log" "$POSTERN_HOME/secrets" "$T/submission.log" || fail "a password in a file: $form"
  done
done

# An instance's own port offers nothing: there is no policy for it.
swaks --server 127.0.0.1:"$PORT" --quit-after EHLO > "$T/swaks" 2>&1
expect_not_in "$T/swaks" AUTH
# In clear it is neither offered nor taken.
TLS='' submission auth=preferred
swaks --server 127.0.0.1:"$SUBMIT" --quit-after EHLO > "$T/swaks" 2>&1
expect_not_in "$T/swaks" AUTH
expect_equal "$(login alice 'Pencil 1')" '538 5.7.11 encryption required: STARTTLS first'
expect_equal "$(python3 "$TESTS/auth.py" send "$SUBMIT" '' '' a@home.example x@far.example 'Subject: x')" '550 5.7.1 relaying denied: that domain is not ours'
