#!/bin/bash
# POSTERN_DRYRUN: the stages run and know it, what would become of the message is printed, nothing is kept, and nobody is told yes.
# Several quarantines at once go to the quarantine as one request. A release hears what became of each part.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/scanq.sh"
printf 'Fa@other.example\0Tb@mx.example.org\0Tc@mx.example.org\0Td@mx.example.org\0\0' > "$T/envelope"
stage says <<'S'
echo "${POSTERN_DRYRUN:-no}" > "$POSTERN_HOME/dry"
cat "$POSTERN_HOME/verdict"
S
stages "says $T/says when=released"
verdict() { printf '%b' "$1" > "$POSTERN_HOME/verdict"; }
verdict 'split\tone\tb@mx.example.org\nquarantine\tPolicy\tx\nbcc\te@mx.example.org\n'
scan POSTERN_DRYRUN=1; expect_equal $? 99 "exit code of a dry run"
expect_equal "$(cat "$POSTERN_HOME/dry")" 1 "what the stage knows"
expect_equal "$(sed 's/^[0-9]\{19\}/N/' "$T/reason")" "4711 quarantined Policy
N queued 1 recipients
N queued copy" "what is printed"
nothing_kept "a dry run"
verdict 'defer\tlater\n'
scan POSTERN_DRYRUN=1; expect_equal $? 99 "exit code of a dry run that defers"
expect_equal "$(cat "$T/reason")" "4711 deferred says: 451 4.3.0 later" "what is printed of a deferral"

# Several marks, one request.
stage quarantine <<< 'printf "%s|" "$@" > "$POSTERN_HOME/put"; env | grep ^POSTERN_HOLD_UNTIL >> "$POSTERN_HOME/put"; tr "\0" "|" <&3 >> "$POSTERN_HOME/put"'
verdict 'quarantine\tVirus\tone\nquarantine\tPolicy\ttwo words\nquarantine\tVirus\tthree\nhold\t4102444800\tnight\n'
scan POSTERN_QUARANTINE_PROGRAM="$T/quarantine" || fail "several marks: $(cat "$T/log")"
expect_equal "$(cat "$POSTERN_HOME/put")" "put|Virus|three|Policy|two words|Hold|night|POSTERN_HOLD_UNTIL=4102444800
Fa@other.example|Tb@mx.example.org|Tc@mx.example.org|Td@mx.example.org||" "what the quarantine is asked"
no_sets || fail "one output needs no set"

# What the queue keeps for delivery; what an earlier scan has left does not count.
verdict 'source\t192.0.2.7\nbounce-profile\tslow\nscore\t2\tX\ty\n'
scan POSTERN_SCORE=100 POSTERN_BOUNCE=forged POSTERN_WORK=sets/1 POSTERN_EXEMPT="antivirus X" || fail "what is kept: $(cat "$T/log")"
file=$(find "$POSTERN_HOME/queue/new" -name 4711)
for kept in POSTERN_SOURCE=192.0.2.7 POSTERN_BOUNCE_PROFILE=slow; do grep -qa "v$kept" "$file" || fail "$kept is not kept"; done
for gone in POSTERN_BOUNCE= POSTERN_WORK POSTERN_EXEMPT; do ! grep -qa "v$gone" "$file" || fail "$gone is kept"; done
expect_in "$T/log" '^Info: MID 4711 says score 2 X total 2: y$'

# Over the socket: the fates are in the reply.
verdict 'split\tone\tb@mx.example.org\ndrop\tno\n'
start scanq env POSTERN_QUEUE="$T/own-queue" POSTERN_SETS="$T/own-sets" "$B/postern-bind" scanq "$(id -un)" "$B/postern-scanq" --serve --workers 1
wait_for 30 [ -S "$POSTERN_HOME/run/scanq" ]
ask() { python3 "$TESTS/ask.py" scanq "$@" "0<$T/message" "1<$T/envelope"; }
answer=$(ask POSTERN_MID=4712 POSTERN_RELEASED=Policy) || fail "a release"
expect_equal "$(sed 's/^[0-9]\{19\}/N/' <<< "$answer")" "4712 dropped says: no
N queued 1 recipients" "what a release hears"
answer=$(ask POSTERN_MID=4713) || fail "no release"
expect_equal "$(sed 's/^[0-9]\{19\}/N/' <<< "$answer")" "4713 dropped says: no
N queued 1 recipients" "what others hear"
place_sets
exit 0
