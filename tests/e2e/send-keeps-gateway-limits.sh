#!/bin/bash
# once: the users do not matter to it
# limit_apply=vg of control/destinations, as the server counts it for each source address: a gateway's limits are its own, for a domain
# and, with mxip, for an address; a pool is one gateway; the line of one that has reached its limit does not hold up the other.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/sites.sh"
make_sites domain.test host.test
for name in one other; do echo "$name.test MX 10 host.test." >> "$T/dns"; done
cat > "$POSTERN_HOME/control/destinations" <<'S'
domain.test limit_apply=vg max_host_concurrency=2 recipient_limit=30 recipient_minutes=1
one.test limit_apply=vg limit_type=mxip max_host_concurrency=2
other.test limit_apply=vg limit_type=mxip max_host_concurrency=2
S
cat > "$POSTERN_HOME/control/altsrchost" <<'S'
pool bulk      127.0.0.31  127.0.0.32
@bulk.example  bulk
@boss.example  127.0.0.41
S
start_rspawn
start_counting 127.0.0.2 domain --delay 0.05
start_counting 127.0.0.3 host --delay 0.05
mail one > "$T/message"
queue_many() {
  local mid from=$1 to=$2; shift 2
  for mid in $(seq "$from" "$to"); do MID=$mid queue_message "$@" < "$T/message" 2> /dev/null || fail "queue"; done
}
queue_many 1001 1080 a@bulk.example bulk@domain.test
queue_many 1101 1110 a@boss.example boss@domain.test
queue_many 2001 2060 a@bulk.example bulk@one.test
queue_many 2101 2160 a@bulk.example bulk@other.test
queue_many 2201 2260 a@boss.example boss@one.test
start_send
# The most at once of those connections that came from these addresses.
most_from() {
  python3 - "$T/$1" "${@:2}" <<'P'
import sys
open_, most, now = {}, 0, 0
for line in open(sys.argv[1]):
    what, _, rest = line.split(maxsplit=2)
    fields = rest.split()
    if what in ("connect", "end") and fields[1] in sys.argv[2:]:
        now += 1 if what == "connect" else -1
        most = max(most, now)
print(most)
P
}
wait_for 30 rcpts_are domain 40
wait_for 60 rcpts_are host 180
expect_equal "$(rcpts domain)" 40 "recipients of the two gateways within a minute"
expect_equal "$(grep -c 'boss@domain' "$T/domain")" 10 "recipients of the gateway that has not reached its limit"
for sink in domain host; do
  expect_equal "$(most_from "$sink" 127.0.0.31 127.0.0.32)" 2 "connections at once of the pool to $sink"
  expect_equal "$(most_from "$sink" 127.0.0.41)" 2 "connections at once of the other gateway to $sink"
done
expect_not_in "$T/send.log" '^Info: (Delayed|Bounced):'
counted() { [ "$(grep ' domain\.test+20by+20bulk ' "$POSTERN_HOME/queue/sites" | cut -d' ' -f4)" = 30 ]; }
wait_for 30 counted
# The counts are those of a restarted send too: nothing more of the pool within the minute, and what is new of the other gateway goes.
stop_send -KILL
queue_many 1201 1203 a@boss.example boss@domain.test
start_send
wait_for 30 rcpts_are domain 43
expect_equal "$(grep -c 'bulk@domain' "$T/domain")" 30 "recipients of the pool"
