#!/bin/bash
# control/smtproutes: several hosts by priority, equal ones in turn, USEDNS, an address of its own, /dev/null, all others as *;
# within one job each recipient goes its own way; POSTERN_ROUTE takes the same hosts.
# once: the users do not matter to it
. "$(dirname "$0")/../lib.sh"
make_home
printf 'x.test MX 10 mx.test\nmx.test A 127.0.0.3\none.test A 127.0.0.2\ntwo.test A 127.0.0.4\n' > "$T/dns"
printf '127.0.0.%s\n' 2 3 4 5 > "$POSTERN_HOME/control/notipme"
P=$(free_port)
echo "$P" > "$POSTERN_HOME/control/remoteport"
server() { start "$1" python3 "$TESTS/smtp-server.py" "$2" "$P" "$T/$1" "dot=250 2.0.0 $1" "${@:3}"; wait_for 30 grep -q listening "$T/$1"; }
server one 127.0.0.2
server mx 127.0.0.3
server two 127.0.0.4 "rcpt:full@x.test=452 4.2.2 full"
printf 'Subject: x\n\nbody\n' > "$T/message"
# deliver HOST RECIPIENT…: a line of reports, the last words of each
deliver() { local host=$1; shift; "$B/postern-remote" --dns "$T/dns" "$host" s@y.test "$@" < "$T/message" 2>> "$T/log" | tr '\0' '\n' | sed 's/\(.\).* /\1 /' | head -n -1 | tr '\n' ' '; }
route() { printf '%s\n' "$@" > "$POSTERN_HOME/control/smtproutes"; }

route "x.test:127.0.0.9:$P 10, two.test 20, one.test 30"
expect_equal "$(deliver x.test a@x.test)" "r two " "a backup"
route "x.test:one.test 20, two.test 10"
expect_equal "$(deliver x.test a@x.test)" "r two " "the better priority, though it stands last"
route "x.test:one.test, two.test"
for _ in $(seq 40); do deliver x.test a@x.test >> "$T/turns"; done
expect_in "$T/turns" one
expect_in "$T/turns" two
route "x.test:127.0.0.9:1 5, USEDNS 10"
expect_equal "$(deliver x.test a@x.test)" "r mx " "MX behind a host"
# A host without an address is passed over.
route "x.test:gone.test 5, one.test 10"
expect_equal "$(deliver x.test a@x.test)" "r one " "a host that does not exist"

route "x.test:one.test" "boss@X.test:two.test" "sink@x.test:/dev/null" "full@x.test:two.test" "*:127.0.0.3"
: > "$T/two"; : > "$T/one"
expect_equal "$(deliver x.test a@x.test Boss@x.test sink@x.test full@x.test b@x.test)" "r one r two r /dev/null s full r one " "each its own way"
# The recipients are not rewritten, and those that go one way go together.
expect_in "$T/two" '^< RCPT TO:<Boss@x.test>$'
expect_equal "$(grep -c '^message' "$T/one")" 1 "messages at the first"
expect_equal "$(grep -c '^< RCPT' "$T/one")" 2 "recipients at the first"
expect_in "$T/log" '^Info: Message done DCID 0 MID 0 to RID \[2\] thrown away: its route is /dev/null$'
expect_equal "$(deliver z.test a@z.test)" "r mx " "all others"

# Ordered ways go before all lines.
ordered() { POSTERN_ROUTE=$1 deliver x.test boss@x.test; }
expect_equal "$(ordered "127.0.0.9:1,one.test,one.test:$P")" "r one " "several"
expect_equal "$(ordered USEDNS)" "r mx "
expect_equal "$(ordered /dev/null)" "r /dev/null "
expect_equal "$(POSTERN_ROUTE='one.test auth=x' "$B/postern-remote" --dns "$T/dns" x.test s@y.test a@x.test < "$T/message" 2> /dev/null | head -c 6)" "s4.3.5"
# Changed between two attempts of one process: in force at once.
need python3
start rspawn "$B/postern-bind" rspawn root "$B/postern-rspawn" --serve --workers 1
wait_for 30 test -S "$POSTERN_HOME/run/rspawn"
: > "$T/mx"
route "z.test:127.0.0.2"
{ python3 "$TESTS/job_row.py" rspawn "$T/message" "POSTERN_MID=1" "z.test s@y.test a@z.test" "until:$T/go:go" "z.test s@y.test a@z.test" > "$T/out"; echo end >> "$T/out"; } &
touch "$T/go"
wait_for 30 grep -q one "$T/out"
route "z.test:127.0.0.4" "# another"
echo go > "$T/go"
wait_for 30 grep -q '^end' "$T/out"
expect_in "$T/out" 'said: 250 2\.0\.0 two\|'
route "z.test:127.0.0.4 tls=perhaps"
expect_in <(deliver z.test a@z.test) '^s '
expect_equal "$("$B/postern-remote" --dns "$T/dns" z.test s@y.test a@z.test < "$T/message" 2> /dev/null | tr '\0' '\n' | head -n 1)" \
  "s4.3.5 $POSTERN_HOME/control/smtproutes:1: tls=perhaps is no level; write off, may, encrypt, dane, dane-only, verify or secure"
