#!/bin/bash
# What RFC 3461 and RFC 6531 add to an envelope goes from the client through @scanq, which splits the message by direction,
# and @queue into the queue file: each recipient with its own NOTIFY and ORCPT in the part that it went to.
. "$(dirname "$0")/../lib.sh"
need tcpserver python3
make_own_instance
echo example.org > "$POSTERN_HOME/control/rcpthosts"
cat > "$T/stage" <<'S'
#!/bin/sh
printf 'log\t%s\n' "$POSTERN_DIRECTION"
S
chmod 755 "$T/stage"
echo "note $T/stage" > "$POSTERN_HOME/control/stages"
me=$(id -un)
start queue "$B/postern-bind" queue "$me" "$B/postern-queue" --serve
POSTERN_SPOOL=sets start sets "$B/postern-bind" sets "$me" "$B/postern-queue" --serve
POSTERN_SPOOL=sets start setq "$B/postern-workq"
start scanq "$B/postern-bind" scanq "$me" "$B/postern-scanq" --serve
port=$(free_port)
RELAYCLIENT='' start smtpd tcpserver -RHl0 127.0.0.1 "$port" "$B/postern-smtpd"
wait_for 30 listening "$port"
wait_for 30 test -S "$POSTERN_HOME/run/queue"
wait_for 30 test -S "$POSTERN_HOME/run/sets"
wait_for 30 test -S "$POSTERN_HOME/run/scanq"

cat > "$T/dialogue" <<'D'
S: 220
C: EHLO client.example
S: 250
R: MAIL FROM:<s\xc3\xa4@client.example> SMTPUTF8 BODY=8BITMIME RET=FULL ENVID=id+2B1\r\n
S: 250
C: RCPT TO:<a@example.org> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;alias@example.org
S: 250
C: RCPT TO:<b@far.example> NOTIFY=NEVER
S: 250
R: RCPT TO:<c\xc3\xa4@far.example> ORCPT=utf-8;c\xc3\xa4@far.example\r\n
S: 250
C: RCPT TO:<d@example.org> NOTIFY=FAILURE
S: 250
C: RCPT TO:<e@example.org>
S: 250
R: BDAT 18 LAST\r\nSubject: x\r\n\r\nbody
S: 250 2.0.0 ok
C: QUIT
S: 221
D
python3 "$TESTS/dialogue.py" 127.0.0.1 "$port" "$T/dialogue" || fail "the dialogue: $(cat "$T"/*.log)"

# records DIRECTION: the records of that part's queue file but the kept variables, one a line.
records() {
  local file
  file=$(grep -l "POSTERN_DIRECTION=$1" $(spool_files new)) || fail "no part $1"
  tr '\0' '\n' < "$file" | sed -n '/^bodys/,$p' | sed 's/^bodys/s/' | grep -E '^[srebunoP]' | head -n 30
}
two_parts() { [ "$(spool_files new | wc -l)" = 2 ]; }
wait_for 30 two_parts
common="ss"$'\xc3\xa4'"@client.example
rFULL
eid+2B1
b8BITMIME
u"
expect_equal "$(records local)" "$common
Pa@example.org
nSUCCESS,DELAY
orfc822;alias@example.org
Pd@example.org
nFAILURE
Pe@example.org" "the local part"
expect_equal "$(records out)" "$common
Pb@far.example
nNEVER
Pc"$'\xc3\xa4'"@far.example
outf-8;c"$'\xc3\xa4'"@far.example" "the part to the outside"
