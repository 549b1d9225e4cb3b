#!/bin/bash
# needs: root
# In an instance with the privilege split clamdscan, as any local user, gets its answers through run/clamd, and none from the
# scanner itself.
. "$(dirname "$0")/../lib.sh"
need clamdscan svscan python3
make_signatures
chmod -R a+rX "$T/clamdb"
start_instance --clamdb "$T/clamdb"
printf 'LocalSocket %s/run/clamd\n' "$POSTERN_HOME" > "$T/clamd.conf"
as_nobody() { setpriv --reuid nobody --regid nogroup --clear-groups "$@"; }
cp "$T/eicar.com" "$T/own.com"
chown nobody "$T/own.com"
chmod 600 "$T/own.com"
as_nobody clamdscan --config-file="$T/clamd.conf" --no-summary "$T/eicar.com" > "$T/out" 2>&1
expect_in "$T/out" '/eicar.com: Eicar.*FOUND'
as_nobody clamdscan --config-file="$T/clamd.conf" --no-summary --fdpass "$T/own.com" > "$T/out" 2>&1
expect_in "$T/out" '/own.com: Eicar.*FOUND'
as_nobody clamdscan --config-file="$T/clamd.conf" --no-summary "$T/own.com" > "$T/out" 2>&1
expect_in "$T/out" 'Permission denied'
as_nobody python3 "$TESTS/ask.py" antivirus "0<$T/eicar.com" -- file > "$T/out" 2>&1 && fail "the scanner answers everybody"
expect_equal "$(ps -o user:20= -p "$(service_pid clamd)")" posternc "the user of clamd"
exit 0
