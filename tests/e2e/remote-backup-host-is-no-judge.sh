#!/bin/bash
# What a backup host cannot take (SIZE, 8BITMIME, SMTPUTF8) is no permanent failure while a better host was not reached, and goes
# to the next host; it is permanent once every host has said so.
. "$(dirname "$0")/../lib.sh"
make_home
PORT=$(free_port)
printf '127.0.0.%s\n' 2 3 4 > "$POSTERN_HOME/control/notipme"
echo "$PORT" > "$POSTERN_HOME/control/remoteport"
cat > "$T/dns" <<'D'
x.test MX 10 best.x.test
x.test MX 20 backup.x.test
small.test MX 10 backup.x.test
small.test MX 20 backup2.x.test
on.test MX 10 backup.x.test
on.test MX 20 backup2.x.test
on.test MX 30 best.x.test
best.x.test A 127.0.0.2
backup.x.test A 127.0.0.3
backup2.x.test A 127.0.0.4
D
printf 'Subject: x\n\nb\344dy\n' > "$T/message"
small=$(printf 'ehlo=250-backup\n250 SIZE 10')
plain=$(printf 'ehlo=250 backup')
# hosts BACKUP [BEST]: both backup hosts answer EHLO with BACKUP; the best host is down unless its answer is given.
HOSTS=()
hosts() {
  local pid name
  for pid in "${HOSTS[@]}"; do kill "$pid"; wait "$pid" 2> /dev/null; done
  HOSTS=()
  rm -f "$T"/host.*
  start host3 "$TESTS/smtp-server.py" 127.0.0.3 "$PORT" "$T/host.3" "$1"; HOSTS+=("$LAST_PID")
  start host4 "$TESTS/smtp-server.py" 127.0.0.4 "$PORT" "$T/host.4" "$1"; HOSTS+=("$LAST_PID")
  [ $# = 1 ] || { start host2 "$TESTS/smtp-server.py" 127.0.0.2 "$PORT" "$T/host.2" "$2"; HOSTS+=("$LAST_PID"); touch "$T/host.2"; }
  for name in 3 4; do wait_for 30 grep -q listening "$T/host.$name"; done
  [ $# = 1 ] || wait_for 30 grep -q listening "$T/host.2"
}
# deliver DOMAIN RECIPIENT…: the reports, one a line
deliver() { local domain=$1; shift; "$B/postern-remote" --dns "$T/dns" "$domain" s@y.test "$@" < "$T/message" 2>> "$T/log" | tr '\0' '\n'; }
one() { deliver "$@" | head -n 1; }
down="s4.4.1 connect to best.x.test[127.0.0.2]:$PORT: Connection refused"
backup="backup.x.test[127.0.0.3]:$PORT" backup2="backup2.x.test[127.0.0.4]:$PORT" best="best.x.test[127.0.0.2]:$PORT"
utf8=$(printf '\303\244@x.test')

hosts "$small"
expect_equal "$(one x.test a@x.test)" "$down" "SIZE of a backup host"
expect_equal "$(one small.test a@x.test)" "h5.3.4 the message has 20 bytes, and $backup2 takes 10" "SIZE of every host"
expect_equal "$(grep -c '^connect' "$T/host.3")" 2 "the first backup host was asked"
expect_not_in "$T/host.3" MAIL
expect_in "$T/host.3" '^< QUIT'

hosts "$plain"
echo refuse > "$POSTERN_HOME/control/eightbitmime"
expect_equal "$(one x.test a@x.test)" "$down" "8BITMIME of a backup host"
expect_equal "$(one small.test a@x.test)" "h5.6.3 $backup2 does not take 8BITMIME" "8BITMIME of no host"
rm "$POSTERN_HOME/control/eightbitmime"
expect_equal "$(one x.test "$utf8")" "$down" "SMTPUTF8 of a backup host"
expect_equal "$(deliver small.test "$utf8" "$utf8" | uniq -c | sed 's/^ *//')" "2 h5.6.7 $backup2 does not take SMTPUTF8
1 D5.6.7 $backup2 does not take SMTPUTF8" "SMTPUTF8 of no host"
# Beside an address that can be said, one that cannot waits for an attempt of its own.
expect_equal "$(deliver x.test "$utf8" a@x.test)" "s4.6.7 $backup does not take SMTPUTF8
r$backup said: 250 2.0.0 taken
K$backup said: 250 2.0.0 taken" "one of two recipients"

hosts "$small" "$(printf 'ehlo=250-best\n250-8BITMIME\n250 SMTPUTF8')"
expect_equal "$(one on.test a@x.test)" "r$best said: 250 2.0.0 taken" "the third host takes it"
expect_equal "$(one on.test "$utf8")" "r$best said: 250 2.0.0 taken" "the third host takes SMTPUTF8"
