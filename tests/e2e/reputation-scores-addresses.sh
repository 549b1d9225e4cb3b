#!/bin/bash
# once: the users do not matter to it
# R11, A08: a score of DNS lists, the operator's table and our own history; neutral, and logged, while DNS is away or the list does not serve us; a
# change of a file counts at once; the path form says the same.
. "$(dirname "$0")/../lib.sh"
make_home
mkdir -p "$POSTERN_HOME/db/repd"
cat > "$T/dns" <<'D'
2.2.0.192.bl.example A 127.0.0.2
3.2.0.192.bl.example A 127.0.0.4
4.2.0.192.bl.example A 127.255.255.254
2.2.0.192.wl.example A 127.0.1.1
1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl.example A 127.0.0.2
D
cat > "$POSTERN_HOME/control/reputationlists" <<'D'
list bl.example 127.0.0.2=-8 127.0.0.3-127.0.0.5=-2.5
list wl.example *=+3 weight=0.5
cache 1h
timeout 1000
D
start dnsq "$B/postern-bind" dnsq root "$B/postern-dnsq" --serve --dns "$T/dns"
DNSQ=$LAST_PID
start repd "$B/postern-bind" repd root "$B/postern-repd" --serve
REPD=$LAST_PID
ask() { python3 "$TESTS/ask.py" repd -- "$@"; }
wait_for 30 ask score 198.51.100.1
expect_equal "$(ask score 192.0.2.2)" -6.5 "on both lists"
expect_equal "$(ask score 192.0.2.3)" -2.5 "a range"
expect_equal "$(ask score 192.0.2.1)" none "on no list"
expect_equal "$(ask score 2001:db8::1)" -8 "IPv6"
expect_equal "$(ask score 192.0.2.4)" none "a list that does not serve us"
wait_for 30 grep -q 'unable to ask the list bl.example; scores are without it: it answers 127.255.255.254' "$T/repd.log"
expect_equal "$("$B/postern-repd" explain 192.0.2.2 | tr '\n' '|')" \
  'list bl.example 127.0.0.2 -8|list wl.example 127.0.1.1 1.5|history accepted 0 spam 0 virus 0 unknown 0 none|score -6.5|' "the path form"

ask note 192.0.2.1 unknown=25 || fail "note"
ask note 192.0.2.2 spam=10 || fail "note"
expect_equal "$(ask score 192.0.2.1)" -2.9 "history alone"
expect_equal "$(ask score 192.0.2.2)" -10 "lists and history, bounded"
echo '192.0.2.0/30 9' > "$POSTERN_HOME/control/reputationtable"
expect_equal "$(ask score 192.0.2.1)" 9 "the operator's word"
rm "$POSTERN_HOME/control/reputationtable"

# Kept answers and the history hold while DNS is away; what is not known is neutral.
kill -STOP "$DNSQ"
expect_equal "$(ask score 192.0.2.3)" -2.5 "kept"
expect_equal "$(ask score 192.0.2.77)" none "DNS hangs"
kill -9 "$DNSQ"
wait "$DNSQ" 2> /dev/null
expect_equal "$(ask score 192.0.2.78)" none "DNS is away"
kill -9 "$REPD"
wait "$REPD" 2> /dev/null
rm -f "$POSTERN_HOME/run/repd"
start repd2 "$B/postern-bind" repd root "$B/postern-repd" --serve
wait_for 30 ask score 192.0.2.1
expect_equal "$(ask score 192.0.2.1)" -2.9 "history after SIGKILL"
expect_equal "$(ask score 192.0.2.79)" none "DNS is away"
wait_for 30 grep -q 'unable to ask the list' "$T/repd2.log"

# A broken file changes nothing while it runs, and says where it is broken.
echo 'list bl.example 127.0.0.2' > "$POSTERN_HOME/control/reputationlists"
expect_equal "$(ask score 192.0.2.1)" -2.9
wait_for 30 grep -q 'control/reputationlists:1: "list bl.example 127.0.0.2" is wrong; 127.0.0.2: write an answer of the list, = and a score' "$T/repd2.log"
ask note 192.0.2.1 ham && fail "an unknown event was noted"
ask score nobody && fail "no address was scored"
exit 0
