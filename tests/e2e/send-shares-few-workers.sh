#!/bin/bash
# once: the users do not matter to it
# Fewer workers than connections: jobs are not left waiting behind connections that nothing goes over. And no domain gets
# more places than control/destinations says.
. "$(dirname "$0")/../lib.sh"
make_own_instance --local home.example --user alice
echo 6 > "$POSTERN_HOME/control/concurrencyremote"
echo "DEFAULT max_host_concurrency=2" > "$POSTERN_HOME/control/destinations"
cat > "$T/deliver" <<S
#!/bin/sh
mkdir "$T/now/\$1.\$\$" && ls "$T/now" | grep -c "^\$1" >> "$T/at-once.\$1"
sleep 0.2
rmdir "$T/now/\$1.\$\$"
printf 'rthere\\000Kdone\\000'
S
chmod 755 "$T/deliver"
mkdir "$T/now"
start rspawn "$B/postern-serve" --workers 2 run/rspawn "$T/deliver"
for mid in $(seq 1001 1012); do
  mail far | MID=$mid queue_message a@x.example "b@site$((mid % 3)).example" 2> /dev/null || fail "queue"
done
start send "$B/postern-send"
wait_for 30 queue_empty
expect_equal "$(cat "$T"/at-once.* | wc -l)" 12 "deliveries"
kill "$LAST_PID"
gone() { ! kill -0 "$LAST_PID" 2> /dev/null; }
wait_for 30 gone

# Places and workers enough, one domain: two at once all the same.
start rspawn "$B/postern-serve" --workers 6 run/rspawn "$T/deliver"
rm -f "$T"/at-once.*
for mid in $(seq 2001 2008); do mail far | MID=$mid queue_message a@x.example b@one.example 2> /dev/null || fail "queue"; done
start send2 "$B/postern-send"
wait_for 30 queue_empty
expect_equal "$(sort -n "$T/at-once.one.example" | tail -n 1)" 2 "the most at once of one domain"
