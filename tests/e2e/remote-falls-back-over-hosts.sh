#!/bin/bash
# Delivery by MX: a host that refuses connections, one that greets with 554 and one that loses the connection at MAIL are passed
# over for the next; null MX, no such name and a loop are permanent, a lookup failure is temporary.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../nsd.sh"
make_home
zone x.test <<'Z'
@ MX 10 dead
@ MX 20 rude
@ MX 30 lost
@ MX 40 good
dead A 127.0.0.2
rude A 127.0.0.3
lost A 127.0.0.4
good A 127.0.0.6
good A 127.0.0.5
all-dead MX 10 dead
null MX 0 .
alias CNAME x.test.
loop MX 10 mx.example.org.
loop MX 20 good
self MX 10 self
self A 127.0.0.1
other-self MX 10 elsewhere
elsewhere A 127.9.9.9
homeless MX 10 nowhere
lame MX 10 mx.unserved.test.
Z
zone example.org <<'Z'
mx A 127.0.0.9
Z
start_nsd
# Other hosts on loopback are not this one.
printf '127.0.0.%s\n' 2 3 4 5 6 > "$POSTERN_HOME/control/notipme"
PORT=$(free_port)
echo "$PORT" > "$POSTERN_HOME/control/remoteport"
start rude "$TESTS/smtp-server.py" 127.0.0.3 "$PORT" "$T/rude" "greeting=554 5.7.1 not you"
start lost "$TESTS/smtp-server.py" 127.0.0.4 "$PORT" "$T/lost" "mail=CLOSE"
start good "$TESTS/smtp-server.py" 127.0.0.5 "$PORT" "$T/good" "dot=250 2.0.0 taken as 17"
for name in rude lost good; do wait_for 30 grep -q listening "$T/$name"; done
printf 'Subject: x\n\nbody\n' > "$T/message"
# deliver HOST: reports on one line
deliver() { "$B/postern-remote" --resolver "$DNS" "$1" s@y.test a@x.test < "$T/message" 2>> "$T/log" | tr '\0' '|'; }

said="good.x.test[127.0.0.5]:$PORT said: 250 2.0.0 taken as 17"
expect_equal "$(deliver x.test)" "r$said|K$said|" "fall-back"
expect_in "$T/log" "Connection Error: DCID [0-9]+ domain: x.test IP: 127.0.0.2 port: $PORT details: connect to .*: Connection refused$"
expect_in "$T/log" "New SMTP DCID [0-9]+ interface 127.0.0.1 address 127.0.0.5 port $PORT$"
expect_in "$T/log" 'Message done DCID [0-9]+ MID 0 to RID \[0\]$'
expect_equal "$(grep -c connect "$T/rude")$(grep -c connect "$T/lost")" 11 "the hosts before"
expect_equal "$(deliver alias.x.test)" "r$said|K$said|" "an alias"

refused="4.4.1 connect to dead.x.test[127.0.0.2]:$PORT: Connection refused"
expect_equal "$(deliver all-dead.x.test)" "s$refused|Z$refused|" "no host to be reached"
one() { deliver "$1" | cut -d'|' -f1; }
expect_equal "$(one null.x.test)" "h5.1.10 null.x.test accepts no mail (null MX)"
expect_equal "$(one none.x.test)" "h5.1.2 none.x.test does not exist"
expect_equal "$(one homeless.x.test)" "h5.4.4 no mail host of homeless.x.test has an address"
expect_equal "$(one loop.x.test)" "h5.4.6 mail for loop.x.test loops back to this host"
expect_equal "$(one self.x.test)" "h5.4.6 mail for self.x.test loops back to this host"
expect_equal "$(one '[127.0.0.1]')" "h5.4.6 mail for [127.0.0.1] loops back to this host"
expect_equal "$(one '[127.1.2.3]')" "h5.4.6 mail for [127.1.2.3] loops back to this host"
expect_equal "$(one '[IPv6:::ffff:127.0.0.1]')" "h5.4.6 mail for [ipv6:::ffff:127.0.0.1] loops back to this host"
expect_equal "$(one other-self.x.test)" "h5.4.6 mail for other-self.x.test loops back to this host"
expect_equal "$(one a..b)" 'h5.1.2 "a..b" is not a domain name'
expect_equal "$(one lame.x.test)" "s4.4.3 look up the mail hosts of lame.x.test: no answer"
expect_equal "$(one unserved.test | cut -c1-50)" "s4.4.3 look up mx unserved.test: no answer (SERVFA"
# No resolver at all, and a resident that is not there: temporary as well.
expect_equal "$("$B/postern-remote" --dns "$T/nothing" x.test s@y.test a@x.test < "$T/message" 2> /dev/null | cut -c1-7 | head -c 6)" "s4.4.3"
# The address of this host may be one that mail goes to after all.
echo 127.0.0.1 > "$POSTERN_HOME/control/notipme"
expect_equal "$(one self.x.test)" "s4.4.1 connect to self.x.test[127.0.0.1]:$PORT: Connection refused"
