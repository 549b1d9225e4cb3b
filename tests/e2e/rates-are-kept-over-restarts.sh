#!/bin/bash
# once: the users do not matter to it
# R06, R23: counters survive SIGTERM whole, and SIGKILL up to what was written last; a place is free when its holder is killed; thousands of
# connections at once are nothing to it.
. "$(dirname "$0")/../lib.sh"
make_home
mkdir -p "$POSTERN_HOME/db/rated"
rated() {
  start rated "$B/postern-bind" rated root "$B/postern-rated" --serve
  RATED=$LAST_PID
  wait_for 30 python3 "$TESTS/rates.py" take probe p 60 0 1
}
ended() { kill "$1" "$RATED"; wait "$RATED" 2> /dev/null; rm -f "$POSTERN_HOME/run/rated"; }
take() { python3 "$TESTS/rates.py" take "$@"; }

rated
expect_equal "$(take recipients 192.0.2.1/32 3600 20 12)" 12
expect_equal "$(take recipients 192.0.2.2/32 3600 20 30)" 20
ended -TERM
test -s "$POSTERN_HOME/db/rated/counters" || fail "no state"
rated
expect_equal "$(take recipients 192.0.2.1/32 3600 20 30)" 8 "after SIGTERM"
expect_equal "$(take recipients 192.0.2.2/32 3600 20 30)" 0 "after SIGTERM"

# What was counted is written by itself within a bounded time.
before=$(stat -c %i "$POSTERN_HOME/db/rated/counters")
take user-hour alice 3600 5 3 > "$T/out"
written() { [ "$(stat -c %i "$POSTERN_HOME/db/rated/counters")" != "$before" ]; }
wait_for 90 written
ended -KILL
rated
expect_equal "$(take user-hour alice 3600 5 30)" 2 "after SIGKILL"

hold() { start "$3" python3 "$TESTS/rates.py" hold connections "$1" "$2" "$T/$3"; wait_for 30 test -e "$T/$3"; }
hold 192.0.2.9/32 1 first
FIRST=$LAST_PID
hold 192.0.2.9/32 1 second
expect_equal "$(cat "$T/first") $(cat "$T/second")" "held refused"
kill -9 "$FIRST"
wait "$FIRST" 2> /dev/null
free() { rm -f "$T/third"; hold 192.0.2.9/32 1 third; [ "$(cat "$T/third")" = held ]; }
wait_for 30 free

expect_equal "$(python3 "$TESTS/rates.py" many 3000 500 | tr '\n' ' ')" "0 500 " "3000 connections"
# A broken file is put aside, and all begins at 0.
ended -TERM
echo rubbish > "$POSTERN_HOME/db/rated/counters"
rated
expect_in "$T/rated.log" 'unable to take over the counters'
test -s "$POSTERN_HOME/db/rated/counters.broken" || fail "the broken file is gone"
expect_equal "$(take recipients 192.0.2.2/32 3600 20 30)" 20 "after a broken file"
