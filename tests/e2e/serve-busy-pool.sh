#!/bin/bash
# once: the users do not matter to it
# More clients than workers and backlog: those that find no place within 5 seconds get a temporary answer, the others are served
# as soon as a worker is free.
. "$(dirname "$0")/../lib.sh"
make_own_instance
echo 1 > "$POSTERN_HOME/control/backlog"
cat > "$T/slow" <<'C'
#!/bin/sh
echo x >> "$POSTERN_HOME/running"
until [ -e "$POSTERN_HOME/go" ]; do sleep 0.05; done
C
chmod +x "$T/slow"
start slow "$B/postern-serve" --workers 2 run/slow "$T/slow"
wait_for 30 test -S "$POSTERN_HOME/run/slow"
began=$SECONDS clients=()
for i in $(seq 9); do
  printf 'EHLO c.example\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@mx.example.org>\r\nDATA\r\nSubject: x\r\n.\r\nQUIT\r\n' |
    RELAYCLIENT='' QMAILQUEUE=@slow "$B/postern-smtpd" > "$T/out.$i" 2> "$T/log.$i" &
  clients+=($!)
done
told() { [ "$(cat "$T"/out.* | grep -c '^451 4\.3\.0 ')" -ge 1 ]; }
wait_for 30 told
took=$((SECONDS - began))
[ $took -ge 4 ] || fail "they were told after $took seconds"
expect_equal "$(wc -l < "$POSTERN_HOME/running")" 2 "requests that run"
touch "$POSTERN_HOME/go"
wait "${clients[@]}"
good=$(cat "$T"/out.* | grep -c '^250 2.0.0 ok [0-9]') bad=$(cat "$T"/out.* | grep -c '^451 4\.3\.0 ')
expect_equal $((good + bad)) 9 "answers"
[ "$good" -ge 4 ] || fail "$good were served, 2 workers and 2 places should be"
[ "$bad" -ge 1 ] || fail "nobody was told to come again"
cat "$T"/log.* | sees 'unable to queue a message: connect to .*/run/slow: Resource temporarily unavailable' || fail "$(cat "$T"/log.*)"
expect_equal "$(wc -l < "$POSTERN_HOME/running")" "$good" "requests that ran"
