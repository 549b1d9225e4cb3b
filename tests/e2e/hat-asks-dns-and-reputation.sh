#!/bin/bash
# Conditions that others answer: names by PTR and A, what is wrong with them, DNS lists and the words of those, the score. Who does not answer
# holds nobody up and is told in the log; two listeners answer one client differently.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/hat.sh"
. "$TESTS/nsd.sh"
zone 127.in-addr.arpa <<'Z'
2.0.0 PTR mail.hosts.example.
3.0.0 PTR liar.hosts.example.
4.0.0 PTR nowhere.hosts.example.
6.0.0 PTR a.listed.example.
Z
zone hosts.example <<'Z'
mail A 127.0.0.2
liar A 192.0.2.1
Z
zone list.example <<'Z'
6.0.0.127 A 127.0.0.2
6.0.0.127 TXT "listed here, see https://list.example/6"
7.0.0.127 A 127.0.0.4
9.0.0.127 A 192.0.2.80
10.0.0.127 A 127.255.255.254
Z
start_nsd
make_instance --local home.example --resolver "$DNS"
echo '127.0.0.30 -8' > "$POSTERN_HOME/control/reputationtable"
outsiders '127.0.0.12:allow,POSTERN_LISTENER="Inside"' '127.0.0.14:allow,TCPREMOTEHOST="given.hosts.example"'
cat > "$POSTERN_HOME/control/policies" <<'P'
BLOCKED  REJECT
OTHER    REJECT reject="550 5.7.1 $Hostname of $Group by $HATEntry"
P
cat > "$POSTERN_HOME/control/hat" <<'H'
SCORED: 127.0.0.13 CONTINUE
FRIENDS: .hosts.example ACCEPT
NOPTR: nx.domain dnslist[list.example=127.0.0.4] $OTHER
NOWHERE: ptr.unresolved $OTHER
LIARS: not.double.verified $OTHER
LISTED: dnslist[list.example] $BLOCKED
BAD: SBRS[-10:-5] $BLOCKED
ALL: ACCEPT
H
echo 'ALL: $BLOCKED' > "$POSTERN_HOME/control/hat.Inside"
compile_hat
run_instance
first() { talk "$1" 'QUIT' | head -n 1; }
one() { log_of smtpd | grep -A1 " address $1 " | tail -n 2 | sed 's/ICID [0-9]* *//; s/.*reverse dns host/host/' | tr '\n' ';'; }
is_logged() { [ "$(one "$1")" = "$2" ]; }
expect() {  # ADDRESS REPLY LOG
  expect_equal "$(first "$1")" "$2" "the greeting of $1"
  wait_for 30 is_logged "$1" "$3"
}
expect 127.0.0.2 '220 mx.example.org ESMTP' 'host mail.hosts.example verified yes;Info: ACCEPT SG FRIENDS match .hosts.example SBRS None;'
expect 127.0.0.3 '550 5.7.1 unknown of LIARS by not.double.verified' 'host unknown verified no;Info: REJECT SG LIARS match not.double.verified SBRS None;'
expect 127.0.0.4 '550 5.7.1 unknown of NOWHERE by ptr.unresolved' 'host unknown verified no;Info: REJECT SG NOWHERE match ptr.unresolved SBRS None;'
expect 127.0.0.5 '550 5.7.1 unknown of NOPTR by nx.domain' 'host unknown verified no;Info: REJECT SG NOPTR match nx.domain SBRS None;'
expect 127.0.0.14 '220 mx.example.org ESMTP' 'host given.hosts.example verified yes;Info: ACCEPT SG FRIENDS match .hosts.example SBRS None;'

# A second listener has a table of its own.
expect 127.0.0.12 '554 5.7.1 mail from your address is not accepted here' 'host unknown verified no;Info: REJECT SG None match ALL SBRS None;'

# The other conditions alone. The list's own words go into the refusal; an answer that is no listing does not count, and is told.
cat > "$POSTERN_HOME/control/hat" <<'H'
FOUR: dnslist[list.example=127.0.0.4] $OTHER
LISTED: dnslist[list.example] $BLOCKED
FAILS: serv.fail $OTHER
BAD: SBRS[-10:-5] $BLOCKED
GOOD: SBRS[5:10] ACCEPT
NONE: SBRS[none] ACCEPT
ALL: ACCEPT
H
compile_hat
expect 127.0.0.6 '554 5.7.1 listed here, see https://list.example/6' 'host unknown verified no;Info: REJECT SG LISTED match dnslist[list.example] SBRS None;'
expect 127.0.0.7 '550 5.7.1 unknown of FOUR by dnslist[list.example=127.0.0.4]' 'host unknown verified no;Info: REJECT SG FOUR match dnslist[list.example=127.0.0.4] SBRS None;'
expect 127.0.0.9 '220 mx.example.org ESMTP' 'host unknown verified no;Info: ACCEPT SG NONE match SBRS[none] SBRS None;'
wait_for 30 logged smtpd 'unable to ask the DNS list list.example of 127\.0\.0\.9: it answers 192\.0\.2\.80, which is no listing; the client is judged without it'
expect_equal "$(first 127.0.0.10)" '220 mx.example.org ESMTP' "a list that answers nobody"
# repd's own word decides; while it hangs or is away everybody is neutral, soon, and the log tells of it.
expect 127.0.0.30 '554 5.7.1 mail from your address is not accepted here' 'host unknown verified no;Info: REJECT SG BAD match SBRS[-10:-5] SBRS -8.0;'
expect_not_in <(log_of smtpd) 'unable to learn the score'
repd=$(service_pid repd)
repd+=" $(pgrep -P "$repd" | tr '\n' ' ')"
kill -STOP $repd
expect 127.0.0.30 '220 mx.example.org ESMTP' 'host unknown verified no;Info: ACCEPT SG NONE match SBRS[none] SBRS None;'
wait_for 30 logged smtpd 'unable to learn the score of 127\.0\.0\.30: .*deadline.*; the client is judged without it'
kill -CONT $repd
stop_service repd
expect 127.0.0.30 '220 mx.example.org ESMTP' 'host unknown verified no;Info: ACCEPT SG NONE match SBRS[none] SBRS None;'
wait_for 30 logged smtpd 'unable to learn the score of 127\.0\.0\.30: connect to .*run/repd: .*; the client is judged without it'

# The score decides; what is no score, and a service that hangs, are none.
cat > "$T/reputation" <<'S'
#!/bin/sh
[ "$1" = score ] || exit 100
case $2 in
  127.0.0.20) echo -8.0 ;;
  127.0.0.21) echo 7 ;;
  127.0.0.22) echo none ;;
  127.0.0.23) echo much ;;
  127.0.0.24) exec sleep 30 ;;
  127.0.0.25) exit 111 ;;
  *) echo 0.0 ;;
esac
S
chmod 755 "$T/reputation"
echo "$T/reputation" > "$POSTERN_HOME/control/reputation"
expect 127.0.0.20 '554 5.7.1 mail from your address is not accepted here' 'host unknown verified no;Info: REJECT SG BAD match SBRS[-10:-5] SBRS -8.0;'
expect 127.0.0.21 '220 mx.example.org ESMTP' 'host unknown verified no;Info: ACCEPT SG GOOD match SBRS[5:10] SBRS 7.0;'
expect 127.0.0.26 '220 mx.example.org ESMTP' 'host unknown verified no;Info: ACCEPT SG None match ALL SBRS 0.0;'
for address in 22 23 24 25; do
  expect 127.0.0.$address '220 mx.example.org ESMTP' 'host unknown verified no;Info: ACCEPT SG NONE match SBRS[none] SBRS None;'
done
wait_for 30 logged smtpd 'unable to learn the score of 127\.0\.0\.23: "much" is none'
wait_for 30 logged smtpd 'unable to learn the score of 127\.0\.0\.24: .*deadline'
wait_for 30 logged smtpd 'unable to learn the score of 127\.0\.0\.25: exit code 111'
# As a resident the same.
rm -f "$POSTERN_HOME/control/reputation" "$POSTERN_HOME/run/repd"
start repd "$B/postern-serve" --clients "$(ps -o uid= -p "$(service_pid smtpd)" | tr -d ' ')" run/repd "$T/reputation"
wait_for 30 test -S "$POSTERN_HOME/run/repd"
chmod 666 "$POSTERN_HOME/run/repd"
expect 127.0.0.20 '554 5.7.1 mail from your address is not accepted here' 'host unknown verified no;Info: REJECT SG BAD match SBRS[-10:-5] SBRS -8.0;'

# A changed range moves a client into another group.
sed -i 's/-10:-5/-10:-9/' "$POSTERN_HOME/control/hat"
compile_hat
expect 127.0.0.20 '220 mx.example.org ESMTP' 'host unknown verified no;Info: ACCEPT SG None match ALL SBRS -8.0;'

# DNS that does not answer is a condition of its own, and nobody's fault elsewhere.
stop_service dnsq
expect_equal "$(first 127.0.0.20)" '550 5.7.1 unknown of FAILS by serv.fail' "without DNS"
