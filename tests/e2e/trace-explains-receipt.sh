#!/bin/bash
# O02, O03, A01 (receipt): what postern-trace says is what smtpd says, word for word, from the greeting to each recipient; it names the table and line that decided,
# and counts nothing.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/hat.sh"
SUBMIT=$(free_port) SMTPS=$(free_port)
make_instance --local home.example --user alice --user bob --tls-self-signed --submission "127.0.0.1:$SUBMIT" --smtps "127.0.0.1:$SMTPS"
echo none > "$POSTERN_HOME/control/stages"
run_instance
wait_for 30 listening "$SUBMIT"
has_certificate() { talk 127.0.0.1 'EHLO c' STARTTLS | sees '^220 2.0.0'; }
wait_for 30 has_certificate
outsiders '127.0.0.9:deny' '127.0.0.11:allow,POSTERN_POLICY="CAREFUL"'
cat > "$POSTERN_HOME/control/policies" <<'P'
BLOCKED REJECT reject="554 go away, $RemoteIP"
LATE    REJECT delayed_reject=on
CAREFUL ACCEPT check_helo=on max_recipients_per_hour=3 banner="220 careful here"
SECURE  ACCEPT tls=required
P
cat > "$POSTERN_HOME/control/hat" <<'H'
BAD: 127.0.0.2 $BLOCKED
LATER: 127.0.0.4-5 $LATE
127.0.0.6 TCPREFUSE
PARTNER: .partner.example RELAY
SAFE: 127.0.0.8 $SECURE
ALL: $CAREFUL
H
echo 'SUBMISSION ACCEPT tls=required auth=required check_user=on spf=off check_helo=on' >> "$POSTERN_HOME/control/policies"
compile_hat
printf 'sales@home.example: alice@home.example, bob@home.example\n' > "$POSTERN_HOME/control/aliases"
printf '@spam.example\n' > "$POSTERN_HOME/control/badmailfrom"
chmod 644 "$POSTERN_HOME/control/"*
"$B/postern-rcpt" compile aliases || fail "postern-rcpt compile"
trace() { "$B/postern-trace" "$@"; }

# Word for word. The number of an address in its name keeps the counters of one from another.
same() {  # ADDRESS HELO SENDER RECIPIENT...
  local ip=$1 helo=$2 sender=$3 commands=() recipient; shift 3
  for recipient; do commands+=("RCPT TO:<$recipient>"); done
  trace ${LISTENER:+--listener "$LISTENER"} --ip "$ip" --helo "$helo" --from "$sender" "$@" | sed -n 's/^-> //p' | grep -vE '^[0-9]{3}-|^\(' > "$T/traced"
  talk "$ip" "EHLO $helo" "MAIL FROM:<$sender>" "${commands[@]}" | grep -vE '^(closed|reset)$' > "$T/said"
  expect_equal "$(cat "$T/traced")" "$(cat "$T/said")" "$ip $helo $sender $*"
}
same 127.0.0.2 client.example a@b.example alice@home.example
same 127.0.0.5 client.example a@b.example alice@home.example bob@home.example
same 127.0.0.6 client.example a@b.example alice@home.example
same 127.0.0.8 client.example a@b.example alice@home.example
same 127.0.0.11 client.example a@b.example alice@home.example nobody@home.example x@far.example sales@home.example
same 127.0.0.12 mx.example.org a@b.example alice@home.example
same 127.0.0.13 client.example x@spam.example alice@home.example
same 127.0.0.14 client.example '' alice@home.example
same 127.0.0.15 client.example 'a@b..example' alice@home.example
same 127.0.0.1 client.example a@b.example x@far.example
PORT=$SUBMIT LISTENER=submission same 127.0.0.16 client.example a@b.example x@far.example

# The policy of the listener's service, and who logs in there: where he can, and not before EHLO.
trace --listener submission --ip 127.0.0.16 --from a@b.example x@far.example > "$T/out"
expect_equal $? 100 "exit code without TLS"
expect_in "$T/out" '^  listener sets: POSTERN_POLICY=SUBMISSION \(service/submission\)$'
expect_in "$T/out" '^-> 530 5\.7\.0 must issue a STARTTLS'
trace --listener smtps --ip 127.0.0.16 --from a@b.example x@far.example > "$T/out"
expect_in "$T/out" '^-> 530 5\.7\.0 authentication required'
trace --listener smtps --ip 127.0.0.16 --user alice --from alice@home.example x@far.example > "$T/out" || { cat "$T/out"; fail "a user on smtps"; }
expect_in "$T/out" '^  helo: pass'
trace --listener submission --ip 127.0.0.16 --tls --user alice --from bob@home.example x@far.example > "$T/out"
expect_in "$T/out" '^-> 553 5\.7\.1 user alice may not send as bob@home\.example'
trace --listener submission --ip 127.0.0.16 --user alice --from alice@home.example x@far.example > "$T/out"
expect_in "$T/out" '^-> 538 5\.7\.11'
trace --ip 127.0.0.16 --user alice --from alice@home.example x@far.example > "$T/out"
expect_equal $? 100 "exit code of a user where nobody logs in"
expect_in "$T/out" '^-> 502 5\.5\.1'
POSTERN_POLICY=BLOCKED trace --listener submission --ip 127.0.0.16 --from a@b.example x@far.example > "$T/out"
expect_in "$T/out" '^-> 554 .*go away, 127\.0\.0\.16'

# What decided, and where.
trace --ip 127.0.0.2 --from a@b.example alice@home.example > "$T/out"
expect_equal $? 100 "exit code of a refusal"
expect_in "$T/out" '^  hat: group BAD, entry 127\.0\.0\.2, score None \(control/hat:1\)$'
expect_in "$T/out" '^  policy: BLOCKED, REJECT \(control/policies:1\)$'
trace --ip 127.0.0.20 --host mx.partner.example --from a@b.example x@far.example > "$T/out"
expect_equal $? 0 "exit code of what is taken"
expect_in "$T/out" '^  hat: group PARTNER, entry \.partner\.example, score None \(control/hat:4\)$'
expect_in "$T/out" '^  helo: not asked \(.*check_helo=off\)$'
trace --ip 127.0.0.9 --from a@b.example x@far.example > "$T/out"
expect_equal $? 100 "exit code of an address that tcprules deny"
expect_in "$T/out" '^  tcp rules: denies the address \(control/tcp\.smtp\.cdb\)$'
trace --json --ip 127.0.0.21 --from '<>' '<sales@home.example>' > "$T/json" || fail "a trace as JSON"
expect_equal "$(jq -c '.steps[-1].recipients' "$T/json")" '["alice@home.example","bob@home.example"]' "who gets it"
expect_equal "$(jq -r '.steps[-1].decisions[] | select(.step == "alias") | .why' "$T/json" | grep -c 'control/aliases')" 1 "the alias's table"
trace --tls --ip 127.0.0.8 --from a@b.example alice@home.example > "$T/out" || fail "a trace of an encrypted connection"

# An IPv6 client, addresses beyond ASCII, a proxy that brings nobody.
trace --ip ::2 --from a@b.example alice@home.example > "$T/out" || { cat "$T/out"; fail "a trace of an IPv6 client"; }
expect_in "$T/out" '^EHLO \[IPv6:::2\]$'
trace --ip 127.0.0.23 --from 'bücher@b.example' alice@home.example > "$T/out" || { cat "$T/out"; fail "a sender beyond ASCII"; }
echo '127.0.0.1 proxy' > "$POSTERN_HOME/control/proxies"; chmod 644 "$POSTERN_HOME/control/proxies"
trace --ip 127.0.0.1 --from a@b.example x@far.example > "$T/out"
expect_equal $? 100 "exit code of a proxy that would relay"
expect_in "$T/out" '^  proxy: it brings clients .*\(control/proxies\)$'
rm "$POSTERN_HOME/control/proxies"

# Nothing is counted by a trace; what a client has used up stands in one.
for _ in 1 2 3 4 5; do trace --ip 127.0.0.22 --from a@b.example alice@home.example > "$T/out" || { cat "$T/out"; fail "a trace was counted"; }; done
talk 127.0.0.22 'EHLO c.example' 'MAIL FROM:<a@b.example>' 'RCPT TO:<alice@home.example>' 'RCPT TO:<bob@home.example>' 'RCPT TO:<alice@home.example>' > "$T/talk"
expect_equal "$(tail -n 1 "$T/talk" | cut -c1-3)" 250 "the third recipient"
trace --ip 127.0.0.22 --from a@b.example alice@home.example > "$T/out"
expect_equal $? 111 "exit code of what is put off"
expect_in "$T/out" '^  rates: 452 4\.7\.1 .*\(policy CAREFUL: max_recipients_per_hour 3 of 127\.0\.0\.22'

# Without rules the listener would let nobody in; under another server there need be none.
mv "$POSTERN_HOME/control/tcp.smtp.cdb" "$T/rules"
trace --ip 127.0.0.23 --from a@b.example alice@home.example 2> "$T/err"; expect_equal $? 111 "no rules"
expect_in "$T/err" 'tcp\.smtp\.cdb'
trace --listener elsewhere --ip 127.0.0.23 --from a@b.example alice@home.example > "$T/out" || fail "no rules under another server"
mv "$T/rules" "$POSTERN_HOME/control/tcp.smtp.cdb"

# The reputation service keeps nothing of an address that nobody came from, and the operator's program is told.
wait_for 30 test -S "$POSTERN_HOME/run/repd"
echo 'list bl.example 127.0.0.2=-3' > "$POSTERN_HOME/control/reputationlists"
echo 'POOR: SBRS[-10:-1] $BLOCKED' > "$T/hat"; cat "$POSTERN_HOME/control/hat" >> "$T/hat"; cp "$T/hat" "$POSTERN_HOME/control/hat"
compile_hat
kept() { cksum < "$POSTERN_HOME/db/repd/history"; }
KEPT=$(kept)
printf '#!/bin/sh\necho "$POSTERN_DRYRUN" > %s/dry\n' "$T" > "$T/check"; chmod 755 "$T" "$T/check"; : > "$T/dry"; chmod 666 "$T/dry"
echo "$T/check" > "$POSTERN_HOME/control/rcptcheck"; chmod 644 "$POSTERN_HOME/control/"*
trace --ip 127.0.0.24 --from a@b.example alice@home.example > "$T/out" || { cat "$T/out"; fail "a trace with a program"; }
expect_in "$T/out" 'score None'
expect_equal "$(cat "$T/dry")" 1 POSTERN_DRYRUN
expect_equal "$(kept)" "$KEPT" "what repd keeps"
talk 127.0.0.24 'EHLO c' > "$T/talk"
[ "$(kept)" != "$KEPT" ] || fail "a client's score is not kept, so nothing was tested"
rm "$POSTERN_HOME/control/rcptcheck"

# Wrong use, and a table that cannot be read.
trace --ip nowhere --from a@b.example x@y.example 2> "$T/err"; expect_equal $? 100 "no address"
trace --ip 127.0.0.2 --from $'a@b.example\r\nQUIT' x@y.example 2> "$T/err"; expect_equal $? 100 "a sender of two lines"
expect_in "$T/err" 'usage: postern-trace'
printf x > "$POSTERN_HOME/control/hat.bin"
trace --ip 127.0.0.2 --from a@b.example x@y.example 2> "$T/err"; expect_equal $? 111 "a broken table"
expect_in "$T/err" 'hat\.bin'
