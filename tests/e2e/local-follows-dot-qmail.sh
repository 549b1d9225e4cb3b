#!/bin/bash
# postern-local finds the .qmail file of an address and does what its lines say, in their order: qmail-local's rules.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../as_user.sh"
. "$(dirname "$0")/../local.sh"

make_mailbox u1
make_queue_program
printf 'Subject: x\n\nFrom here\n' > "$T/message"
D=$T/u1

# Which file: dots are colons, case does not count, -default the longest first, none is 5.1.1, an empty one is the default.
dot -lists:a < <(echo '|echo "exact $EXT [${DEFAULT-none}]" >> seen')
dot -lists-default < <(echo '|echo "lists $EXT [$DEFAULT] $EXT2" >> seen')
dot -default < <(echo '|echo "any [$DEFAULT]" >> seen')
deliver 0 u1-Lists.A - Lists.A < "$T/message"
deliver 0 u1-lists-B.c-d - lists-B.c-d < "$T/message"
deliver 0 u1-other - other < "$T/message"
rm "$D/.qmail-default"
deliver 100 u1-other - other < "$T/message"
expect_in "$T/said" '^5\.1\.1 no mailbox here by that name$'
expect_equal "$(cat "$D/seen")" $'exact Lists.A [none]\nlists lists-B.c-d [B.c-d] B.c-d\nany [other]' "files that were chosen"
dot -empty < /dev/null
deliver 0 u1-empty - empty < "$T/message"
expect_in "$T/said" "^maildir: $D/Maildir/new/"
expect_equal "$(count_new)" 1 "messages of the default delivery"

# Several lines: comment, Maildir, mbox, program, forwards; the forwards are one message at the end.
as_user mkdir -p "$D/Other/tmp" "$D/Other/new" "$D/Other/cur"
dot "" <<'Q'
# all of them
&bob@example.net
./Other/
./mbox   
carl@example.net
|cat > program-input; stat -Lc %F /proc/self/fd/0 > program-type; cat /proc/self/fdinfo/0 > program-fdinfo
Q
deliver 0 u1 "" "" < "$T/message"
expect_in "$T/said" '^maildir: .*; mbox: .*; program: .*; forward: 2 addresses$'
expect_equal "$(queued)" 'Fann@example.net|Tbob@example.net|Tcarl@example.net||' "envelope"
expect_equal "$(cat "$T/queued/message")" "$(printf 'Delivered-To: u1@example.org\n'; cat "$T/message")" "forwarded message"
cmp "$D/program-input" "$T/message" || fail "a program got another message"
expect_equal "$(cat "$D/program-type")" "regular file" "descriptor 0 of a program"
expect_in "$D/program-fdinfo" '^flags:.*0$'
expect_equal "$(find "$D/Other/new" -type f | wc -l)" 1 "the second Maildir"
expect_in "$D/mbox" '^>From here$'
expect_in "$D/mbox" '^From ann@example\.net [A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} [0-9]{4}$'

# Exit codes of programs: 99 ends it, with the forwards before it; 100 and 111 stop everything, and nothing is forwarded.
forget_queued
dot "" < <(printf '%s\n' '&bob@example.net' '|exit 99' '&carl@example.net' './Maildir/')
deliver 0 u1 "" "" < "$T/message"
expect_equal "$(queued)" 'Fann@example.net|Tbob@example.net||' "forwards before exit 99"
expect_equal "$(count_new)" 1 "messages after exit 99"
forget_queued
for code in 100 64 65 70 76 77 78 112; do
  dot "" < <(printf '%s\n' '&bob@example.net' "|echo 'go away'; exit $code" './Maildir/')
  deliver 100 u1 "" "" < "$T/message"
done
expect_in "$T/said" '^5\.3\.0 .*refused this message: go away$'
dot "" < <(echo '|printf "5.2.2 full\n\001 up"; exit 100')
deliver 100 u1 "" "" < "$T/message"
expect_in "$T/said" '^5\.2\.2 a program of its owner refused this message: full \\x01 up$'
for code in 111 1 127; do
  dot "" < <(printf '%s\n' '&bob@example.net' "|echo why >&2; exit $code" './Maildir/')
  deliver 111 u1 "" "" < "$T/message"
  expect_in "$T/said" "^4\.3\.0 .* ended with code $code: why$"
done
dot "" < <(echo '|kill -9 $$')
deliver 111 u1 "" "" < "$T/message"
expect_in "$T/said" '^4\.3\.0 .*signal 9'
nothing_queued || fail "forwarded although a program failed"
dot "" < <(echo "|head -c 100000 /dev/zero | tr '\0' x; exit 111")
deliver 111 u1 "" "" < "$T/message"
[ "$(wc -c < "$T/said")" -lt 1300 ] || fail "the output of a program is not bounded"

# What programs find in their environment.
dot -env-default < <(echo '|env > seen-env')
deliver 0 u1-Env-B-c-d - Env-B-c-d 's p@ex.net' < "$T/message"
for pair in 'SENDER=s p@ex.net' 'NEWSENDER=s p@ex.net' RECIPIENT=u1-Env-B-c-d@example.org USER=u1 "HOME=$D" LOCAL=u1-Env-B-c-d EXT=Env-B-c-d EXT2=B-c-d EXT3=c-d EXT4=d \
    HOST=example.org HOST2=example HOST3=example HOST4=example DEFAULT=B-c-d 'DTLINE=Delivered-To: u1-Env-B-c-d@example.org' 'RPLINE=Return-Path: <"s p"@ex.net>'; do
  grep -qxF -- "$pair" "$D/seen-env" || { cat "$D/seen-env"; fail "no $pair"; }
done
expect_in "$D/seen-env" '^UFLINE=From s-p@ex.net '
expect_not_in "$D/seen-env" '^POSTERN_EXTRAS='

# The sender of forwards: -owner, -owner-default, bounces stay bounces.
dot -list < <(echo bob@example.net)
deliver 0 u1-list - list < "$T/message"; expect_equal "$(queued)" 'Fann@example.net|Tbob@example.net||' "without an owner"
dot -list-owner < <(echo '#')
deliver 0 u1-list - list < "$T/message"; expect_equal "$(queued)" 'Fu1-list-owner@example.org|Tbob@example.net||' "with an owner"
dot -list-owner-default < <(echo '#')
deliver 0 u1-list - list < "$T/message"; expect_equal "$(queued)" 'Fu1-list-owner-@example.org-@[]|Tbob@example.net||' "with an owner for each"
deliver 0 u1-list - list '' < "$T/message"; expect_equal "$(queued)" 'F|Tbob@example.net||' "a bounce"
deliver 0 u1-list - list '#@[]' < "$T/message"; expect_equal "$(queued)" 'F#@[]|Tbob@example.net||' "a double bounce"

# What the queue says of forwards.
echo 82 > "$T/queue-code"; deliver 100 u1-list - list < "$T/message"; expect_in "$T/said" '^5\.7\.1 .*not this one'
echo 53 > "$T/queue-code"; deliver 111 u1-list - list < "$T/message"; expect_in "$T/said" '^4\.'
echo 0 > "$T/queue-code"

# Without a program line forwards go first: while the queue does not take them, no mailbox gets a copy with each try. A mailbox that
# is not there makes them wait.
echo 53 > "$T/queue-code"; forget_queued
before=$(count_new)
dot "" < <(printf '%s\n' ./Maildir/ ./mbox2 '&bob@example.net')
deliver 111 u1 "" "" < "$T/message"; expect_in "$T/said" '^4\.'
[ "$(count_new)" = "$before" ] && [ ! -e "$D/mbox2" ] || fail "a mailbox was written before the forward was taken"
echo 0 > "$T/queue-code"; forget_queued
deliver 0 u1 "" "" < "$T/message"; expect_in "$T/said" '^forward: bob@example\.net; maildir: .*; mbox: '
expect_equal "$(queued) $(count_new)" "Fann@example.net|Tbob@example.net|| $((before + 1))" "once each"
forget_queued
dot "" < <(printf '%s\n' '&bob@example.net' ./Missing/)
deliver 111 u1 "" "" < "$T/message"; nothing_queued || fail "forwarded although the Maildir is not there"

# A file that only forwards: x bit, +list. Nothing is done of a file that has more.
forget_queued
before=$(count_new)
dot "" 744 < <(printf '%s\n' '&bob@example.net' ./Maildir/)
deliver 111 u1 "" "" < "$T/message"; expect_in "$T/said" '^4\.7\.0 .*\.qmail:2: .*executable'
dot "" < <(printf '%s\n' +list '&bob@example.net' '|touch was-here')
deliver 111 u1 "" "" < "$T/message"; expect_in "$T/said" '^4\.7\.0 .*\.qmail:3: .*\+list'
nothing_queued && [ ! -e "$D/was-here" ] && [ "$(count_new)" = "$before" ] || fail "half of it was done"
dot "" 744 < <(echo '&bob@example.net'); deliver 0 u1 "" "" < "$T/message"

# Mode checks and slips of the hand: mail waits.
dot "" 646 < <(echo ./Maildir/); deliver 111 u1 "" "" < "$T/message"; expect_in "$T/said" '^4\.7\.0 .*chmod o-w'
dot "" 664 < <(echo ./Maildir/); deliver 0 u1 "" "" < "$T/message"; expect_in "$T/said" '^maildir: '
dot "" < <(printf '\n./Maildir/\n'); deliver 111 u1 "" "" < "$T/message"; expect_in "$T/said" '^4\.2\.1 .*:1: the first line is blank'
dot "" < <(echo '& bob@example.net'); deliver 111 u1 "" "" < "$T/message"; expect_in "$T/said" ':1: .*blank in it'

# -n says what would be done and does nothing.
dot "" < <(printf '%s\n' '# x' ./Maildir/ ./mbox '|true' '&bob@example.net')
"$B/postern-local" -n 2> /dev/null > "$T/said"; expect_equal $? 111 "exit code without arguments"
before=$(count_new)
as_user "$B/postern-local" -n u1 "$D" u1 "" "" example.org ann@example.net ./Maildir/ > "$T/said" || fail "-n"
expect_equal "$(cat "$T/said")" $'file .qmail\nmaildir ./Maildir/\nmbox ./mbox\nprogram true\nforward bob@example.net' "-n"
expect_equal "$(count_new)" "$before" "messages after -n"
