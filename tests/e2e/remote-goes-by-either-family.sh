#!/bin/bash
# IPv6 and IPv4: a host with both is reached by IPv6 first and by IPv4 where that fails, or in the order of control/ipfamilies; a
# family that is not there is not used, and that a host has no other is no failure for good. Address literals of both forms.
. "$(dirname "$0")/../lib.sh"
make_home
PORT=$(free_port)
python3 -c 'import socket; s = socket.socket(socket.AF_INET6); s.bind(("::1", 0))' 2> /dev/null || skip "this machine has no IPv6 on loopback"
printf '127.0.0.2\n::1\n' > "$POSTERN_HOME/control/notipme"
echo "$PORT" > "$POSTERN_HOME/control/remoteport"
cat > "$T/dns" <<'D'
both.test MX 10 mx.test
mx.test A 127.0.0.2
mx.test AAAA ::1
four.test A 127.0.0.2
six.test AAAA ::1
D
start four "$TESTS/smtp-server.py" 127.0.0.2 "$PORT" "$T/four"
FOUR=$LAST_PID
start six "$TESTS/smtp-server.py" ::1 "$PORT" "$T/six"
SIX=$LAST_PID
wait_for 30 grep -q listening "$T/four"
wait_for 30 grep -q listening "$T/six"
printf 'Subject: x\n\nbody\n' > "$T/message"
deliver() { "$B/postern-remote" --dns "$T/dns" "$1" s@y.test "a@$1" < "$T/message" 2>> "$T/log" | tr '\0' '\n' | head -n 1; }
ok="said: 250 2.0.0 taken"
v4="mx.test[127.0.0.2]:$PORT" v6="mx.test[::1]:$PORT"
families() { echo "$1" > "$POSTERN_HOME/control/ipfamilies"; }

expect_equal "$(deliver both.test)" "r$v6 $ok" "IPv6 first"
expect_in "$T/log" "New SMTP DCID [0-9]+ interface ::1 address ::1 port $PORT$"
expect_equal "$(deliver '[127.0.0.2]')" "r127.0.0.2[127.0.0.2]:$PORT $ok" "an IPv4 literal"
expect_equal "$(deliver '[IPv6:::1]')" "r::1[::1]:$PORT $ok" "an IPv6 literal"
expect_in "$T/six" '^< RCPT TO:<a@\[IPv6:::1\]>$'
families "ipv4 ipv6"
expect_equal "$(deliver both.test)" "r$v4 $ok" "IPv4 first"
expect_equal "$(deliver six.test)" "rsix.test[::1]:$PORT $ok" "only IPv6 there"
families ipv4
expect_equal "$(deliver both.test)" "r$v4 $ok" "IPv4 alone"
expect_equal "$(deliver six.test)" "s4.4.4 no mail host of six.test has an address of control/ipfamilies" "only IPv6 there, and not wanted"
expect_equal "$(deliver '[IPv6:::1]')" "r::1[::1]:$PORT $ok" "a literal is what the sender wants"
families ipv6
expect_equal "$(deliver both.test)" "r$v6 $ok" "IPv6 alone"
kill "$SIX"; wait "$SIX" 2> /dev/null
expect_equal "$(deliver both.test)" "s4.4.1 connect to $v6: Connection refused" "IPv6 alone, and down"
rm "$POSTERN_HOME/control/ipfamilies"
expect_equal "$(deliver both.test)" "r$v4 $ok" "IPv4 where IPv6 fails"
kill "$FOUR"; wait "$FOUR" 2> /dev/null
expect_equal "$(deliver both.test)" "s4.4.1 connect to $v4: Connection refused" "both down"
families "ipv5"
expect_equal "$(deliver both.test)" "" "no family"
expect_in "$T/log" 'read control/ipfamilies: "ipv5" is not ipv6, ipv4 or both'
