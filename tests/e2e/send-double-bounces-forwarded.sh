#!/bin/bash
# The postmaster's .qmail forwards to an address that is dead: a double bounce goes there once, is dropped when it comes to nothing, and
# nothing goes round. To the other host it comes from the null reverse-path, in a Maildir it says what it is.
. "$(dirname "$0")/../lib.sh"
SINK=$(free_port)
make_instance --local home.example --user alice --user bob --route "far.example:127.0.0.2:$SINK"
echo alice@home.example > "$POSTERN_HOME/control/doublebounceto"
echo none > "$POSTERN_HOME/control/stages"
home=$POSTERN_HOME/mail/alice
printf '&dead@far.example\n&bob@home.example\n' > "$home/.qmail"
chown --reference="$home/Maildir" "$home/.qmail"
chmod 644 "$home/.qmail"
run_instance
start_sink "$SINK" "rcpt:dead@far.example=550 5.1.1 no such user"
mail one | MID=4711 queue_message "" dead@far.example || fail "queue"
ended() { logged send '^Info: Triple bounce MID [0-9]+ dropped$' && queue_empty; }
wait_for 30 ended
log_of send > "$T/send"
expect_equal "$(grep -c 'was generated for double bounce of MID 4711$' "$T/send")" 1 "double bounces: $(cat "$T/send")"
expect_equal "$(grep -c 'was generated for' "$T/send")" 1 "notifications: $(cat "$T/send")"
expect_equal "$(grep -c '^Info: Triple bounce' "$T/send")" 1 "triple bounces"
in_order "$T/send" '^Info: Bounced: 4711:0 From:<> ' '^Info: Bounced: [0-9]+:[0-9] From:<#@\[\]> To:<dead@far.example> '
expect_equal "$(grep -c '^< MAIL FROM:<>' "$T/sink")" "$(grep -c '^< MAIL' "$T/sink")" "null reverse-paths at the other host"
expect_equal "$(mailbox bob | wc -l)" 1 "messages for bob"
expect_in "$(mailbox bob)" '^Return-Path: <#@\[\]>$'
