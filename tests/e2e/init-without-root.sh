#!/bin/bash
# needs: user
# Without root: a clear line that the privilege split is off, everything is the caller's, and the instance takes and delivers mail.
. "$(dirname "$0")/../lib.sh"
[ "$(id -u)" != 0 ] || skip "runs as an ordinary user"
make_signatures
start_instance --local home.example --user alice --clamdb "$T/clamdb"
expect_in "$T/init.log" '^Info: not root: the privilege split is off, every program runs as the caller$'
expect_equal "$(find "$POSTERN_HOME" ! -user "$(id -u)" | head -n 3)" "" "files of others"
for run in "$POSTERN_HOME"/service/*/run "$POSTERN_HOME"/service/*/log/run; do expect_not_in "$run" 'setuidgid'; done
mail one | inject bob@far.example alice@home.example > "$T/answer" || fail "$(cat "$T/answer")"
arrived() { [ "$(mailbox alice | wc -l)" = 1 ]; }
wait_for 30 arrived
expect_in "$(mailbox alice)" '^Delivered-To: alice@home.example$'
# Its default without options: a high port on loopback.
"$B/postern-init" "$T/other" > "$T/log" 2>&1 || fail "$(cat "$T/log")"
expect_equal "$(cat "$T/other/control/listen")" 127.0.0.1:2525 "the default port"
"$B/postern-showctl" > "$T/showctl" || { cat "$T/showctl"; fail "postern-showctl finds fault"; }
