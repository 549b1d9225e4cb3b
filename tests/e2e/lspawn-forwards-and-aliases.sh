#!/bin/bash
# postern-lspawn: jobs of virtual domains (by users/assign, and by an account that is named like the prefix), the alias user, and
# forwards to @pickup, with what the sender asked to be told (RFC 3461) passed on or expanded and reported so.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../as_user.sh"
. "$(dirname "$0")/../local.sh"

make_home
mkdir "$POSTERN_HOME/users"
echo example.org > "$POSTERN_HOME/control/locals"
printf '# prefixes\nvirtual.example:vdom\n.below.example:vdom\njoe@one.example:vdom\nnot.example:\naccount.example:vuser\n' > "$POSTERN_HOME/control/virtualdomains"
make_mailbox u1
make_queue_program
D=$T/u1
printf '=u1:u1:%s:%s:%s:::\n+u1-:u1:%s:%s:%s:-::\n+vdom-:u1:%s:%s:%s:-:v-:\n.\n' \
  "$MAILBOX_UID" "$MAILBOX_GID" "$D" "$MAILBOX_UID" "$MAILBOX_GID" "$D" "$MAILBOX_UID" "$MAILBOX_GID" "$D" > "$POSTERN_HOME/users/assign"
"$B/postern-newu" || fail "postern-newu"
printf 'Subject: x\n\nbody\n' > "$T/message"
serve_as=()
[ "$(id -u)" = 0 ] && serve_as=(--user nobody)
start pickup "$B/postern-serve" "${serve_as[@]}" --clients "$MAILBOX_UID" --trust "$MAILBOX_UID" run/pickup "$T/queue-program"
wait_for 30 test -S "$POSTERN_HOME/run/pickup"

# lspawn PATTERN RECIPIENT [SENDER]: the reports of the path form, NUL as |.
lspawn() {
  POSTERN_MID=77 POSTERN_RIDS=0 "$B/postern-lspawn" "${3-ann@example.net}" "$2" < "$T/message" > "$T/reports" 2> "$T/log" || fail "exit code $?"
  tr '\0' '|' < "$T/reports" > "$T/said"
  expect_in "$T/said" "$1"
}

# Virtual domains: the prefix leads to the user, what is behind it to his .qmail file.
dot -v-default < <(echo '|echo "$LOCAL $HOST $EXT $DEFAULT" >> seen')
lspawn '^rprogram: .*\|K' vdom-joe@virtual.example
lspawn '^r' vdom-Jane.Doe@Deep.Below.Example
lspawn '^r' vdom-joe@one.example
expect_equal "$(cat "$D/seen")" $'vdom-joe virtual.example v-joe joe\nvdom-Jane.Doe deep.below.example v-Jane.Doe Jane.Doe\nvdom-joe one.example v-joe joe' "what programs were told"
for recipient in vdom-joe@not.example vdom-joe@below.example vdom-joe@example.net; do lspawn '^h5\.1\.2 .*\|D5\.1\.2 ' $recipient; done
lspawn '^h5\.1\.1 no mailbox here by that name\|D' nobody@virtual.example

# The alias user is the owner of alias/; without him, or when he is root, mail waits.
rmdir "$POSTERN_HOME/alias"
lspawn '^s4\.3\.5 .*/alias is not there; make it' postmaster@example.org
mkdir "$POSTERN_HOME/alias"
echo bob@example.net > "$POSTERN_HOME/alias/.qmail-postmaster"
if [ "$(id -u)" = 0 ]; then
  lspawn '^s4\.3\.5 .*belongs to root' postmaster@example.org
  chown "$MAILBOX_UID:$MAILBOX_GID" "$POSTERN_HOME/alias"
fi
for recipient in postmaster@example.org Alias-Postmaster@example.org; do
  lspawn '^rforward: bob@example\.net\|Kforward: bob@example\.net\|$' $recipient
  expect_equal "$(queued)" 'Fann@example.net|Tbob@example.net||' "envelope"
  expect_equal "$(cat "$T/queued/message")" "$(printf 'Delivered-To: %s\nSubject: x\n\nbody\n' $recipient)" "message"
done
expect_in "$T/queued/env" '^POSTERN_PARENT_MID=77$'
expect_not_in "$T/queued/env" '^POSTERN_MID='
expect_in "$T/log" '^Info: MID 77 RID \[0\] delivered to mailbox alias: forward: bob@example\.net$'
lspawn '^h5\.1\.1 no mailbox here by that name' hostmaster@example.org
printf 'Delivered-To: postmaster@example.org\n\n' > "$T/loop"
"$B/postern-lspawn" ann@example.net postmaster@example.org < "$T/loop" 2> /dev/null | tr '\0' '|' > "$T/said"
expect_in "$T/said" '^h5\.4\.6 .*\|D'

# with_extras EXTRAS PATTERN RECIPIENT: a job whose sender asked for something.
with_extras() {
  printf "$1" > "$T/extras"
  forget_queued
  POSTERN_EXTRAS=5 "$B/postern-lspawn" ann@example.net "$3" < "$T/message" 5< "$T/extras" > "$T/reports" 2> "$T/log" || fail "exit code $?"
  tr '\0' '|' < "$T/reports" > "$T/said"
  expect_in "$T/said" "$2"
}
extras() { [ ! -e "$T/queued/extras" ] || tr '\0' '|' < "$T/queued/extras"; }
asked='rHDRS\0eid1\0b8BITMIME\0tx@virtual.example\0nSUCCESS,FAILURE\0orfc822;x@virtual.example\0'
with_extras "$asked" '^rmaildir: .*\|K' u1@example.org
dot -one < <(echo bob@example.net)
with_extras "$asked" '^pforward: bob@example.net\|K' u1-one@example.org
expect_equal "$(extras)" 'rHDRS|eid1|b8BITMIME|tbob@example.net|nSUCCESS,FAILURE|orfc822;x@virtual.example|' "one address: all goes on"
dot -two < <(printf 'bob@example.net\ncarl@example.net\n')
with_extras "$asked" '^eforward: 2 addresses\|K' u1-two@example.org
expect_equal "$(extras)" 'rHDRS|eid1|b8BITMIME|tbob@example.net|nFAILURE|orfc822;x@virtual.example|tcarl@example.net|nFAILURE|orfc822;x@virtual.example|' "two: without SUCCESS"
with_extras 'tx@y\0nSUCCESS\0' '^e' u1-two@example.org
expect_equal "$(extras)" 'tbob@example.net|nNEVER|tcarl@example.net|nNEVER|' "two, when nothing but SUCCESS was asked for"
dot -both < <(printf 'bob@example.net\n./Maildir/\n')
with_extras "$asked" '^eforward: bob.*; maildir: ' u1-both@example.org
dot -two-owner < <(echo '#')
with_extras "$asked" '^rforward: 2 addresses\|K' u1-two@example.org
expect_equal "$(extras)" 'b8BITMIME|' "a list with an owner: nothing but what the message is"

# An account of this host that is named like the prefix; a private /etc/passwd.
if [ "$(id -u)" = 0 ] && unshare -m true 2> /dev/null; then
  make_mailbox vuser
  printf 'root:x:0:0:root:/root:/bin/sh\nvuser:x:%s:%s::%s:/bin/sh\n' "$MAILBOX_UID" "$MAILBOX_GID" "$T/vuser" > "$T/passwd"
  as_user sh -c "echo '|echo \"\$USER \$EXT \$DEFAULT\" >> seen' > '$T/vuser/.qmail-default'"
  printf '%s\n' 'mount --bind "$T/passwd" /etc/passwd' '"$B/postern-lspawn" a@b vuser-sales@account.example < "$T/message" > "$T/reports"' > "$T/inside"
  export T B
  unshare -m bash "$T/inside" || fail "lspawn with an account"
  expect_equal "$(cat "$T/vuser/seen")" "vuser sales sales" "the account's program; $(tr '\0' '|' < "$T/reports")"
fi
exit 0
