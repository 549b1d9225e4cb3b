#!/bin/bash
# In a running instance mail goes by DANE out of the queue, over one connection for two messages, waits where no certificate fits, and
# goes once a new one is announced; postern-dane asks the same dnsq, as root too.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../nsd.sh"
. "$(dirname "$0")/../dane.sh"
need jq
authority ca
certificate right ca 30 mx.ok.test
certificate next ca 30 mx.wrong.test
PORT=$(free_port)
SERVER_PORT=$PORT
one_host ok.test 127.0.0.2 "$(tlsa right 3 1 1)"
one_host wrong.test 127.0.0.3 "$(tlsa next 3 1 1)"
start_nsd
dane_server 2 right
dane_server 3 right
WRONG=$LAST_PID
make_instance
echo "$SERVER_PORT" > "$POSTERN_HOME/control/remoteport"
echo "$DNS" > "$POSTERN_HOME/control/resolver"
cp "$T/anchors" "$POSTERN_HOME/control/trustanchors"
printf '127.0.0.%s\n' 2 3 > "$POSTERN_HOME/control/notipme"
echo none > "$POSTERN_HOME/control/stsd"
echo none > "$POSTERN_HOME/control/stages"
echo 1 > "$POSTERN_HOME/control/concurrencyremote"
run_instance
for number in 1 2; do mail "ok $number" | inject s@other.example "a@ok.test" > "$T/reply" || fail "inject: $(cat "$T/reply")"; done
mail wrong | inject s@other.example a@wrong.test > "$T/reply" || fail "inject: $(cat "$T/reply")"
messages_are() { [ "$(grep -c '^message' "$T/server.$1")" = "$2" ]; }
wait_for 60 messages_are 2 2
expect_in "$T/server.2" '^tls TLSv1.3 [A-Z]* mx.ok.test '
expect_not_in "$T/server.2" 'MAIL.*wrong'
expect_in <(log_of rspawn) 'TLS success protocol TLSv1.3 cipher [^ ]* for ok.test policy dane verified'
deferred() { logged rspawn 'TLS failed: validation-failure: no matching DANE TLSA records for wrong.test policy dane'; }
wait_for 60 deferred
messages_are 3 0 || fail "it went to a server whose certificate does not fit"
# postern-dane asks @dnsq, which does not answer root.
"$B/postern-dane" --json ok.test > "$T/out" 2> "$T/log" || fail "postern-dane: exit code $? ($(cat "$T/out" "$T/log"))"
expect_equal "$(jq -r '.hosts[0] | .dane.outcome + " " + (.connection.authenticated | tostring)' "$T/out")" "usable true"
"$B/postern-dane" wrong.test > "$T/out" 2> "$T/log"
expect_equal $? 111 "postern-dane of wrong.test"
# The server gets the certificate that the zone announces.
kill "$WRONG"
wait "$WRONG" 2> /dev/null
PORT=$SERVER_PORT dane_server 3 next
try_now
wait_for 60 messages_are 3 1
expect_in "$T/server.3" '^tls TLSv1.3 NEW mx.wrong.test '
