#!/bin/bash
# pickup takes the kernel's word on its client and nothing of what the client says of itself; what it hands on is its own copy, checked
# and within its limits. Broken requests are refused and leave it standing.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/inject.sh"
need python3 strace
start_pickup
printf 'Subject: x\r\n\r\nhello\r\n' > "$T/message"
printf 'Fa@far.example\0Talice\0Tb@far.example\0\0' > "$T/envelope"
ask() { "${BECOME[@]}" env POSTERN_HOME="$POSTERN_HOME" python3 "$TESTS/ask.py" pickup "$@" "6>$T/me/reason" > "$T/out" 2>&1; }
chmod 644 "$T/message" "$T/envelope"

ask "0<$T/message" "1<$T/envelope" POSTERN_MID=4711 POSTERN_PARENT_MID=4712 POSTERN_SKIP=antivirus POSTERN_RELEASED=Virus POSTERN_AUTH=root \
  POSTERN_DIRECTION=in POSTERN_LISTENER=smtpd POSTERN_ICID=1 POSTERN_TAG_X=y POSTERN_QUEUE=/bin/true POSTERN_HOME=/nowhere TCPREMOTEIP=192.0.2.1 TCPREMOTEHOST=x \
  DATABYTES=1 PATH=/nowhere LD_PRELOAD=/x QMAILQUEUE=/bin/false || fail "taken: $? $(cat "$T/out")"
number_kept 1
grep -E '^(POSTERN_|TCP|RELAYCLIENT|DATABYTES|LD_)' "$(kept env)" | grep -v '^POSTERN_HOME=' > "$T/env"
m=$(basename "$(kept message)" .message)
[ "$m" != 4711 ] || fail "the client's mid"
expect_equal "$(cat "$T/env")" "POSTERN_DEFERRED=1
POSTERN_LISTENER=local
POSTERN_MID=$m
POSTERN_PARENT_MID=4712
RELAYCLIENT=" "environment"
expect_equal "$(envelope)" "Fa@far.example Talice@mx.example.org Tb@far.example  "
in_order "$(kept message)" "^Received: \(invoked by uid $U\)$" "^  by mx\.example\.org with local id $m;$" '^Subject: x$' '^hello$'
in_order "$T/pickup.log" "^Info: Start MID $m UID $U$" "^Info: MID $m UID $U called MID 4711 by its sender$" "^Info: MID $m UID $U said to be made of MID 4712$" \
  "^Info: MID $m UID $U From: <a@far\.example>$" "^Info: MID $m UID $U RID 1 To: <b@far\.example>$" "^Info: MID $m ready [0-9]+ bytes from <a@far\.example>$"
forget
printf 'Fa@far.example\nInfo: forged\0Tb@far.example\0\0' > "$T/bad"
ask "0<$T/message" "1<$T/bad" POSTERN_PARENT_MID='1 x'; expect_equal $? 82 "a line break in the sender"
expect_in "$T/me/reason" '^D553 5\.1\.7 '
expect_not_in "$T/pickup.log" '^Info: forged|made of MID 1'
# Recipients are logged of what is accepted alone, and counted.
{ printf 'Fa@far.example\0'; for n in $(seq 1001); do printf 'Tx%s@far.example\0' "$n"; done; printf '\0'; } > "$T/bad"
ask "0<$T/message" "1<$T/bad"; expect_equal $? 82 "1001 recipients"
expect_in "$T/me/reason" '^D554 5\.5\.3 more than 1000 recipients'
printf 'Fa@far.example\0Tx@far.example\0Tx y@far example\0\0' > "$T/bad"
ask "0<$T/message" "1<$T/bad"; expect_equal $? 82 "a recipient with a blank in its domain"
expect_not_in "$T/pickup.log" 'To: <x'
expect_in "$T/pickup.log" '^Info: MID [0-9]+ UID [0-9]+ To: 1001 recipients$'
printf 'Fa@far.example\0T\0\0' > "$T/bad"
ask "0<$T/message" "1<$T/bad"; expect_equal $? 82 "an empty recipient"
printf 'nonsense' > "$T/bad"
ask "0<$T/message" "1<$T/bad"; expect_equal $? 91 "no envelope"
ask "0<$T/message"; expect_equal $? 54 "no descriptor 1"
ask; expect_equal $? 54 "nothing at all"
# Limits: hops, size, one refusal by the program behind.
{ for _ in $(seq 100); do echo "Received: x"; done; echo; } > "$T/loop"
ask "0<$T/loop" "1<$T/envelope"; expect_equal $? 82 hops
expect_in "$T/me/reason" '^D554 5\.4\.6 '
echo 10 > "$POSTERN_HOME/control/databytes"
kill -HUP "$PICKUP"
too_large() { ask "0<$T/message" "1<$T/envelope"; [ $? = 82 ]; }
wait_for 30 too_large
expect_in "$T/me/reason" '^D552 5\.3\.4 '
echo rubbish > "$POSTERN_HOME/control/databytes"
kill -HUP "$PICKUP"
wait_for 30 grep -q '^Critical: postern-pickup: unable to read the settings: .*control/databytes' "$T/pickup.log"
too_large || fail "the settings before are kept"
rm "$POSTERN_HOME/control/databytes"
echo "$((U + 1))" > "$POSTERN_HOME/control/pickupusers"
kill -HUP "$PICKUP"
not_me() { ask "0<$T/message" "1<$T/envelope"; grep -q 'D550 5.7.1 user '"$U"' may not' "$T/me/reason"; }
wait_for 30 not_me
ask "0<$T/message" "1<$T/envelope" POSTERN_PARENT_MID=4712; expect_equal $? 82 "a forward of a user who may not"
expect_in "$T/me/reason" '^Z451 4\.7\.1 user '"$U"' may not'
echo "$U" > "$POSTERN_HOME/control/pickupusers"
kill -HUP "$PICKUP"
me_again() { ask "0<$T/message" "1<$T/envelope"; }
forget
wait_for 30 me_again
number_kept 1
forget

# A user's file may be one of his own file system that never answers: it is read under a short alarm.
strace -f -q -e trace=alarm,pread64 -o "$T/alarms" -p "$PICKUP" & tracer=$!
traced() { grep -q "^TracerPid:.$1" "/proc/$PICKUP/status"; }
wait_for 30 traced '[1-9]'
me_again || fail "traced"
kill -INT $tracer
wait_for 30 traced 0
in_order "$T/alarms" 'alarm\(20\)' 'pread64\(.*Subject: x' 'alarm\(300\)'
forget

# A pipe for the message is not waited for; a packet that is no request, and a client that goes, hurt nobody.
"${BECOME[@]}" env POSTERN_HOME="$POSTERN_HOME" python3 - <<'P' || fail "see above"
import array, os, socket, sys
def connect():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(20)
    s.connect(os.environ["POSTERN_HOME"] + "/run/pickup")
    return s
r, w = os.pipe()
s = connect()
s.sendmsg([b"\x01\x00\x00\x00\x00\x01"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [r, r]))])
reply = s.recv(100)
if reply[:1] != bytes([54]): sys.exit("a pipe: %r" % reply)
for packet in (b"x", b"\x01", b"\x02\x00\x00\x00", b"\x01\xff\xff\x00", os.urandom(60000)):
    s = connect()
    s.send(packet)
    try:
        if s.recv(100) != b"": sys.exit("an answer to %r" % packet[:10])
    except ConnectionResetError:
        pass
connect().close()
P
me_again || fail "gone after broken requests"
# SIGTERM: what was asked is answered before the end.
touch "$T/held"
mkfifo "$T/wait"
: > "$T/held"
me_again & client=$!
wait_for 30 test -s "$T/held"
kill -TERM "$PICKUP"
echo go > "$T/wait"
wait $client || fail "the last one: $?"
gone() { ! kill -0 "$PICKUP"; }
wait_for 30 gone
exit 0
