#!/bin/bash
# As many jobs are out at once as the control files say, and all of them are: local, of these half to one mailbox, remote, of these to
# one domain; and as they say after SIGHUP.
. "$(dirname "$0")/../lib.sh"
make_own_instance --local home.example --user alice
# A deliverer that counts who is there with it, and stays until it is let go.
cat > "$T/deliver" <<S
#!/bin/bash
kind=\$1; shift
site=\$1; [ \$kind = local ] && site=\$2
mkdir -p "$T/\$kind" && : > "$T/\$kind/\$site.\$\$"
read -r _ < "$T/gate.\$kind"
rm "$T/\$kind/\$site.\$\$"
printf 'rthere\0Kdone\0'
S
chmod 755 "$T/deliver"
mkfifo "$T/gate.local" "$T/gate.remote"
exec 8<> "$T/gate.local" 9<> "$T/gate.remote"
start lspawn "$B/postern-serve" --workers 12 run/lspawn "$T/deliver" local
start rspawn "$B/postern-serve" --workers 12 run/rspawn "$T/deliver" remote
limits() { echo "$1" > "$POSTERN_HOME/control/concurrencylocal"; echo "$2" > "$POSTERN_HOME/control/concurrencyremote"; echo "DEFAULT max_host_concurrency=$3" > "$POSTERN_HOME/control/destinations"; }
there() { find "$T/$1" -iname "${2:-}*" -type f 2> /dev/null | wc -l; }
there_are() { [ "$(there "$1" "${3:-}")" = "$2" ]; }
round=0
limits 3 5 2
mail one > "$T/message"
for mid in $(seq 1001 1009); do MID=$mid queue_message a@x.example "Slow@Home.example" < "$T/message" 2> /dev/null || fail "queue"; done
for mid in $(seq 1010 1018); do MID=$mid queue_message a@x.example "alice$((mid % 3))@home.example" < "$T/message" 2> /dev/null || fail "queue"; done
for mid in $(seq 2001 2012); do MID=$mid queue_message a@x.example "b@site$((mid % 3)).example" < "$T/message" 2> /dev/null || fail "queue"; done
for mid in $(seq 3001 3006); do MID=$mid queue_message a@x.example "b@site0.example" < "$T/message" 2> /dev/null || fail "queue"; done
start_send
wait_for 30 there_are local 3
wait_for 30 there_are remote 5
# Nothing more comes while nothing ends; what ends makes room for one.
for _ in 1 2 3; do
  echo >&8; echo >&9
  done_are() { [ "$(grep -c 'Message finished' "$T/send.log")" -ge "$1" ]; }
  wait_for 30 done_are $((2 * (++round)))
  wait_for 30 there_are local 3
  wait_for 30 there_are remote 5
  [ "$(there local slow)" -le 2 ] || fail "more than half to one mailbox"
  [ "$(there remote site0)" -le 2 ] && [ "$(there remote site1)" -le 2 ] && [ "$(there remote site2)" -le 2 ] || fail "more than two of one domain"
done
limits 6 9 4
# A domain that has not answered yet has two at most.
expected=0
for site in 0 1 2; do
  all=$((site == 0 ? 10 : 4)) most=2
  done_of=$(grep 'Message finished' "$T/send.log" | awk -v site=$site '$5 > 3000 && site == 0 || $5 > 2000 && $5 < 3000 && $5 % 3 == site' | wc -l)
  [ "$done_of" = 0 ] || most=4
  expected=$((expected + (all - done_of < most ? all - done_of : most)))
done
kill -HUP "$SEND_PID"
wait_for 30 there_are local 6
wait_for 30 there_are remote $((expected > 9 ? 9 : expected))
[ "$(there remote site0)" -le 4 ] || fail "more than four of one domain"
limits 1 1 1
kill -HUP "$SEND_PID"
for _ in $(seq 18); do echo >&8; echo >&9; done
wait_for 30 queue_empty
expect_equal "$(grep -c 'Message finished' "$T/send.log")" 36 "messages done"
