#!/bin/bash
# A user who is not in the list of clients is not answered, and that is logged; of root, who asks whether the service is there, it is not.
. "$(dirname "$0")/../lib.sh"
make_home
echo 'example.test A 127.0.0.2' > "$T/dns"
start dnsq "$B/postern-bind" dnsq root "$B/postern-dnsq" --serve --clients 4242424 --dns "$T/dns"
wait_for 30 test -S "$POSTERN_HOME/run/dnsq"
python3 "$TESTS/ask.py" dnsq -- ip example.test > "$T/out" 2>&1 && fail "answered"
expect_not_in "$T/out" '^answer'
[ "$(id -u)" = 0 ] || wait_for 30 grep -q 'is not in the list of clients' "$T/dnsq.log"
