#!/bin/bash
# LMTP to a mailbox server that other people wrote: over TCP and over a socket, an answer for each recipient, PIPELINING, a kept
# connection, and an inner host for each domain through the whole chain; mail that is tagged X-Spam: yes goes to Junk by the sample script.
# once: the users do not matter to it
. "$(dirname "$0")/../lib.sh"
. "$TESTS/dovecot.sh"
need python3
P=$(free_port)
make_instance --local home.example --user alice --route "in.example:lmtp:127.0.0.5:$P"
start_dovecot 127.0.0.5 "$P"
route() { printf '%s\n' "$@" > "$POSTERN_HOME/control/smtproutes"; }
printf 'From: <s@y.test>\nSubject: plain\n\n.a dot\nbody\n' > "$T/message"
deliver() { "$B/postern-remote" in.example s@y.test "$@" < "$T/message" 2>> "$T/log" | tr '\0' '\n' | head -n -1; }

deliver alice@in.example nosuch@in.example bob@in.example > "$T/reports"
expect_equal "$(cut -c1 "$T/reports" | tr -d '\n')" rhr "over TCP"
expect_in "$T/reports" "^r127\.0\.0\.5\[127\.0\.0\.5\]:$P said: 250 2\.0\.0 <alice@in\.example> .*[Ss]aved"
expect_in "$T/reports" "^h127\.0\.0\.5\[127\.0\.0\.5\]:$P said: 550 5\.1\.1 <nosuch@in\.example>"
expect_equal "$(delivered alice | wc -l)$(delivered bob | wc -l)" 11 "messages"
expect_in "$(delivered alice)" '^\.a dot$'
# Nobody is taken: the server gets no message.
expect_equal "$(deliver nosuch@in.example | cut -c1)" h

# A full mailbox fails behind the message, and alone. (Nobody can write to it.)
chmod 500 "$T/dovecot/mail/bob/tmp" "$T/dovecot/mail/bob/new"
expect_equal "$(deliver alice@in.example bob@in.example carol@in.example | cut -c1 | tr -d '\n')" rsr "one that fails behind the message"
chmod 700 "$T/dovecot/mail/bob/tmp" "$T/dovecot/mail/bob/new"

# Over a socket.
route "in.example:lmtp:$T/dovecot/lmtp"
deliver carol@in.example > "$T/reports"
expect_in "$T/reports" "^rlocalhost\[$T/dovecot/lmtp\]:0 said: 250 2\.0\.0 "
expect_in "$T/log" "^Info: New SMTP DCID [0-9]+ interface local address $T/dovecot/lmtp port 0$"
route "in.example:lmtp:$T/dovecot/none"
expect_equal "$(deliver carol@in.example)" "s4.4.1 connect to localhost[$T/dovecot/none]:0: No such file or directory"
# A server of SMTP that does not know LHLO puts mail off.
S=$(free_port)
start_sink "$S"
route "in.example:lmtp:127.0.0.2:$S"
expect_in <(deliver carol@in.example) "^s.* said: 500 "

# The chain: a stage tags, the mailbox server acts on it; the domains have their own inner hosts.
cat > "$T/tagger" <<'T'
#!/bin/sh
printf 'header-remove\tX-Spam\n'
grep -q 'buy now' && printf 'header-add\tX-Spam\tyes\n'
exit 0
T
chmod 755 "$T/tagger"
echo "tagger $T/tagger" > "$POSTERN_HOME/control/stages"
route "in.example:lmtp:$T/dovecot/lmtp" "other.example:127.0.0.2:$S"
printf 'home.example\nin.example\nother.example\n' > "$POSTERN_HOME/control/rcpthosts"
run_instance
mail ham 'hello' | inject s@y.test alice@in.example carol@other.example > /dev/null || fail "inject"
mail spam 'buy now' | inject s@y.test alice@in.example bob@in.example > /dev/null || fail "inject"
wait_for 30 queue_empty
expect_equal "$(delivered alice Junk | wc -l)$(delivered bob Junk | wc -l)" 11 "messages in Junk"
expect_in "$(delivered alice Junk)" '^X-Spam: yes'
expect_equal "$(grep -l '^Subject: ham' $(delivered alice) | wc -l)" 1 "clean messages"
expect_equal "$(grep -c '^Subject: ham' "$T/sink.messages")" 1 "messages at the other domain's host"
