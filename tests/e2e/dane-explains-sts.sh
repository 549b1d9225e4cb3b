#!/bin/bash
# postern-dane tells of the MTA-STS policy where DANE says nothing: which hosts it names, whether their certificates fit, and what a
# delivery would do.
# once: the users do not matter to it
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../remote.sh"
. "$(dirname "$0")/../tls.sh"
. "$(dirname "$0")/../sts.sh"
make_remote_home
make_sts_home
echo "postern-stsd --dns $T/dns" > "$POSTERN_HOME/control/stsd"
make_certificate right 30 mx.x.test
make_certificate wrong 30 mx.other.test
sts_domain x.test 1 enforce mx.x.test
start_https
explain() { "$B/postern-dane" --dns "$T/dns" "$@" x.test > "$T/out" 2>> "$T/log"; }
server tls="$T/right.pem"
explain || fail "exit code $? ($(cat "$T/out"))"
expect_in "$T/out" '^  MTA-STS +enforce for [0-9]+ s, mx mx.x.test$'
expect_in "$T/out" '^  DANE +insecure: no DANE'
expect_in "$T/out" '^  MTA-STS +names this host$'
expect_in "$T/out" '^  demand +TLS with a certificate of a known authority \(sts\)$'
expect_in "$T/out" ', the certificate fits$'
server tls="$T/wrong.pem"
explain
expect_equal $? 111 "a certificate that does not fit"
expect_in "$T/out" 'certificate-host-mismatch'
# In testing mode it goes all the same, and what is wrong is told.
set_policy x.test testing mx.x.test
set_id x.test 2
age_policy x.test 7200
explain || fail "testing: exit code $? ($(cat "$T/out"))"
expect_in "$T/out" '^  only logged '
# A policy that does not name the host.
set_policy x.test enforce mx.other.test
set_id x.test 3
age_policy x.test 7200
explain
expect_equal $? 111 "a host that is not named"
expect_in "$T/out" '^  MTA-STS +does not name this host$'
expect_in "$T/out" '^  demand +nothing is sent \(sts\): '
# Nobody to ask: that is said, and the delivery goes on without.
echo /nowhere/stsd > "$POSTERN_HOME/control/stsd"
rm -r "$POSTERN_HOME/db/sts"
explain || fail "no stsd: exit code $? ($(cat "$T/out"))"
expect_in "$T/out" '^  MTA-STS +not known: '
