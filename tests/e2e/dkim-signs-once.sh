#!/bin/bash
# once: the users do not matter to it
# One signature, whatever way a message takes: split by direction, held and released, scanned deferred, put off and tried again,
# forwarded by a user. What came from outside under our name and is forwarded does not become ours; POSTERN_SIGN=no signs nothing.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/dkim.sh"
need python3
/usr/bin/python3 -c 'import dkim' 2> /dev/null || skip "python3-dkim is not installed"
SINK=$(free_port)
make_instance --local home.example --user alice --user carol --route "far.example:127.0.0.2:$SINK"
cat > "$T/stage" <<'X'
#!/bin/sh
case $(cat) in
  *'Subject: held'*) [ -n "$POSTERN_RELEASED" ] || printf 'quarantine\tPolicy\tfor a look\n' ;;
  *'Subject: cut'*) printf 'split\tother\ty@far.example\n' ;;
esac
X
chmod 755 "$T/stage"
echo "look $T/stage when=released" > "$POSTERN_HOME/control/stages"
echo '127.0.0.3:allow
127.0.0.4:allow,RELAYCLIENT="",POSTERN_SIGN="no"
127.:allow,RELAYCLIENT=""' > "$POSTERN_HOME/control/tcp.smtp"
(cd "$POSTERN_HOME/control" && tcprules tcp.smtp.cdb tcp.smtp.tmp < tcp.smtp)
start_sink "$SINK"
sign_with home.example s
dkim_table 'home.example s s.home.example.pem'
HOME_OF=$POSTERN_HOME/mail/alice
dot() { printf '%s\n' "${@:2}" > "$HOME_OF/.qmail-$1"; chown --reference="$HOME_OF" "$HOME_OF/.qmail-$1"; chmod 644 "$HOME_OF/.qmail-$1"; }
dot one x@far.example
dot both x@far.example carol@home.example
dot twice alice-one@home.example
dot piped "|sed '1i Delivered-To: piped' | $B/postern-sendmail x@far.example"
run_instance
PASS=' s.home.example pass'
letter() { printf 'From: <a@home.example>\nTo: <x@far.example>\nSubject: %s\n\nhello\n' "$1"; }
# what SUBJECT: what is said of the messages with it, together.
what() { verified | sed -n "s/^$1://p" | sort | paste -sd'|'; }
N=0
sent() { N=$((N + $1)); wait_for 30 sink_has "$N"; }

letter mixed | inject a@home.example x@far.example alice@home.example > /dev/null || fail "mixed"
sent 1
expect_equal "$(what mixed)" "$PASS" "split by direction"
letter cut | inject a@home.example x@far.example y@far.example > /dev/null || fail "cut"
sent 2
expect_equal "$(what cut)" "$PASS|$PASS" "split by a stage"

letter held | inject a@home.example x@far.example > /dev/null || fail "held"
listed() { [ -n "$("$B/postern-quarantine" list)" ]; }
wait_for 30 listed
mid=$("$B/postern-quarantine" list | awk '{print $1; exit}')
"$B/postern-quarantine" release "$mid" > "$T/released" || fail "release: $(cat "$T/released")"
sent 1
expect_equal "$(what held)" "$PASS" "held and released"

# Forwards: ours once, in every way; forged ones never.
for to in one both twice piped; do
  letter "own-$to" | inject a@home.example "alice-$to@home.example" > /dev/null || fail "own $to"
  sent 1
  expect_equal "$(what "own-$to")" "$PASS" "forwarded by $to"
  letter "forged-$to" | FROM_ADDRESS=127.0.0.3 inject a@home.example "alice-$to@home.example" > /dev/null || fail "forged $to"
  sent 1
  expect_equal "$(what "forged-$to")" ' unsigned' "forged, forwarded by $to"
done
letter bypass | FROM_ADDRESS=127.0.0.4 inject a@home.example x@far.example > /dev/null || fail "bypass"
sent 1
expect_equal "$(what bypass)" ' unsigned' "POSTERN_SIGN=no"

# What has no direction of its own, as a bounce, is signed where POSTERN_SIGN says so.
letter yes | POSTERN_SIGN=yes queue_message '' x@far.example 2> /dev/null || fail "POSTERN_SIGN=yes"
letter neither | queue_message '' x@far.example 2> /dev/null || fail "no direction"
sent 2
expect_equal "$(what yes)$(what neither)" "$PASS unsigned" "without a direction"

# Scanned deferred, and refused by the far host for now: signed when it came, the same signature at each try.
echo deferred > "$POSTERN_HOME/control/scanning"
stop_sink
: > "$T/sink"
: > "$T/sink.messages"
N=0
start_sink "$SINK" 'dot1=451 4.3.0 later'
letter later | inject a@home.example x@far.example > /dev/null || fail "later"
sent 1
put_off() { logged send 'Delayed: .* To:<x@far\.example>'; }
wait_for 30 put_off
try_now
sent 1
wait_for 30 queue_empty
expect_equal "$(what later)" "$PASS|$PASS" "tried twice"
expect_equal "$(for file in "$T"/wire/*; do "$TESTS/dkim_check.py" tags "$file" b; done | sort -u | wc -l)" 1 "signatures made"
exit 0
