#!/bin/sh
# fails: dry-run-leaves-files
# It counts in a dry run.
cat > /dev/null || exit 111
[ -w "$HOME/state" ] && echo seen >> "$HOME/state"
exit 0
