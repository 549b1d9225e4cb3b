#!/bin/bash
# control/smtproutes: a host and port for a domain, for what is below it, for all others; literals without any DNS; an
# empty host is the MX after all; a broken line stops mail for now.
. "$(dirname "$0")/../lib.sh"
make_home
printf 'relay.test A 127.0.0.2\ndirect.x.test MX 10 mx.test\nmx.test A 127.0.0.3\n' > "$T/dns"
# A route to loopback is the operator's will; MX and literals to another host there need this.
echo 127.0.0.3 > "$POSTERN_HOME/control/notipme"
A=$(free_port)
M=$(free_port)
echo "$M" > "$POSTERN_HOME/control/remoteport"
start a "$TESTS/smtp-server.py" 127.0.0.2 "$A" "$T/a" "dot=250 2.0.0 a"
start m "$TESTS/smtp-server.py" 127.0.0.3 "$M" "$T/m" "dot=250 2.0.0 m"
start six "$TESTS/smtp-server.py" ::1 "$A" "$T/six" "dot=250 2.0.0 six"
wait_for 30 grep -q listening "$T/a"
wait_for 30 grep -q listening "$T/m"
cat > "$POSTERN_HOME/control/smtproutes" <<R
x.test:relay.test:$A
.x.test:127.0.0.2:$A
direct.x.test:
six.test:[::1]:$A
:[127.0.0.3]
R
printf 'Subject: x\n\nbody\n' > "$T/message"
deliver() { "$B/postern-remote" --dns "$T/dns" "$1" s@y.test a@x.test < "$T/message" 2>> "$T/log" | tr '\0' '|' | cut -d'|' -f1; }
expect_equal "$(deliver x.test)" "rrelay.test[127.0.0.2]:$A said: 250 2.0.0 a"
expect_equal "$(deliver a.b.X.test)" "r127.0.0.2[127.0.0.2]:$A said: 250 2.0.0 a"
expect_equal "$(deliver direct.x.test)" "rmx.test[127.0.0.3]:$M said: 250 2.0.0 m"
expect_equal "$(deliver other.test)" "r127.0.0.3[127.0.0.3]:$M said: 250 2.0.0 m"
if grep -q listening "$T/six"; then expect_equal "$(deliver six.test)" "r::1[::1]:$A said: 250 2.0.0 six"; fi
# The recipient is not rewritten.
expect_in "$T/a" '^< RCPT TO:<a@x.test>$'
# Without DNS: a literal as the domain.
rm "$POSTERN_HOME/control/smtproutes"
expect_equal "$("$B/postern-remote" '[127.0.0.3]' s@y.test 'a@[127.0.0.3]' < "$T/message" 2> /dev/null | tr '\0' '\n' | head -n 1)" \
  "r127.0.0.3[127.0.0.3]:$M said: 250 2.0.0 m"
echo 'x.test:relay.test:smtp' > "$POSTERN_HOME/control/smtproutes"
expect_equal "$(deliver x.test)" "s4.3.5 $POSTERN_HOME/control/smtproutes:1: \"smtp\" is not a port: it is 1 to 65535, and an IPv6 address stands in brackets"
