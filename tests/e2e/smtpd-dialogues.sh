#!/bin/bash
# once: the users do not matter to it
# Every dialogue of tests/data/dialogues over real tcpservers, a few at a time. smtpd reads its settings for each connection,
# so one tcpserver serves many of them. DIALOGUES="name…" plays only those.
. "$(dirname "$0")/../lib.sh"
need tcpserver python3

export QMAILQUEUE=$TESTS/data/queue-store.sh
cat > "$T/smtpd" <<S
#!/bin/sh
export POSTERN_HOME="$T/homes/\$TCPLOCALPORT"
. "\$POSTERN_HOME/environment"
exec "$B/postern-smtpd"
S
chmod +x "$T/smtpd"
ports=
for _ in 1 2 3 4 5 6; do
  port=$(free_port)
  start smtpd tcpserver -RHl0 127.0.0.1 "$port" "$T/smtpd"
  ports=${ports:+$ports,}$port
  mkdir -p "$T/homes/$port"
  touch "$T/homes/$port/environment"
  wait_for 30 listening "$port"
done

scripts=()
for name in ${DIALOGUES:-$(cd "$TESTS/data/dialogues" && ls)}; do
  scripts+=("$TESTS/data/dialogues/${name%.txt}.txt")
done
POSTERN_BIN=$B python3 "$TESTS/dialogue.py" --all "$T/homes" "$ports" "${scripts[@]}" || fail "a dialogue"
