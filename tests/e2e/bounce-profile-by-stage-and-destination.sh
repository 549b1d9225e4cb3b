#!/bin/bash
# A stage names a bounce profile in the place of the listener's, a destination one in the place of both; what is told to whom, and in
# which form, is each recipient's own.
. "$(dirname "$0")/../lib.sh"
SINK=$(free_port)
make_instance --local home.example --user alice --user ops --route "far.example:127.0.0.2:$SINK" --route "near.example:127.0.0.2:$SINK" \
  --route "quiet.example:127.0.0.2:$SINK"
printf '%s\n' 'DEFAULT max_bounce_copy=100000' 'listener template=none' 'stage bounce_format=plain' \
  'ops bounce_recipient=ops@home.example max_bounce_copy=0' 'quiet send_hard_bounces=off' > "$POSTERN_HOME/control/bounceprofiles"
printf '%s\n' 'near.example bounce_profile=ops' 'quiet.example bounce_profile=quiet' > "$POSTERN_HOME/control/destinations"
printf '127.0.0.:allow,RELAYCLIENT="",POSTERN_BOUNCE_PROFILE="listener"\n' > "$POSTERN_HOME/control/tcp.smtp"
tcprules "$POSTERN_HOME/control/tcp.smtp.cdb" "$POSTERN_HOME/control/tcp.tmp" < "$POSTERN_HOME/control/tcp.smtp"
chmod 644 "$POSTERN_HOME/control/tcp.smtp.cdb"
cat > "$T/say" <<'X'
#!/bin/sh
sed '/^$/q' | grep -q '^Subject: stage' && printf 'bounce-profile\tstage\n'
exit 0
X
chmod 755 "$T/say"
echo "say $T/say" > "$POSTERN_HOME/control/stages"
start_sink "$SINK" "rcpt=550 5.1.1 nobody"
run_instance
expect_not_in <("$B/postern-showctl" 2>&1) 'problem.*bounceprofiles'

send() { mail "$1" "the body of $1" | inject alice@home.example "${@:2}" > "$T/answer" || fail "$1: $(cat "$T/answer")"; }
has() { grep -l "Subject: $2$" $(mailbox "$1") /dev/null | sees .; }

# The listener's: its template is missing, which is said, and the words that are built in are used.
send listener x@far.example
wait_for 60 has alice listener
file=$(grep -l 'Subject: listener$' $(mailbox alice))
expect_in "$file" '^Content-Type: multipart/report'
expect_in "$file" '^This is the mail system at mx.example.org'
expect_in "$file" '^the body of listener'
wait_for 30 logged send 'unable to use the template of the bounce of MID [0-9]+: .*templates/bounce-none'
# The stage's.
send stage x@far.example
wait_for 60 has alice stage
file=$(grep -l 'Subject: stage$' $(mailbox alice))
expect_in "$file" '^Content-Type: text/plain'
expect_not_in "$file" 'multipart/report|the body of stage'
expect_in "$file" '^<x@far.example>:'
# Its destination's too: two recipients, two notifications, and one of which nobody is told.
send stage-two x@far.example y@near.example z@quiet.example
wait_for 60 has ops stage-two
wait_for 60 has alice stage-two
file=$(grep -l 'Subject: stage-two$' $(mailbox ops))
expect_in "$file" '^Content-Type: multipart/report'
expect_in "$file" '^Final-Recipient: rfc822; y@near.example'
expect_not_in "$file" 'x@far|z@quiet|the body of'
file=$(grep -l 'Subject: stage-two$' $(mailbox alice))
expect_in "$file" '^<x@far.example>:'
expect_not_in "$file" 'y@near|z@quiet'
wait_for 30 logged send '^Info: Bounced: [0-9]+:2 .*To:<z@quiet.example>'
wait_for 30 queue_empty
expect_equal "$(mailbox alice | wc -l) $(mailbox ops | wc -l)" "3 1" "notifications"
