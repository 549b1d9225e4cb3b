#!/bin/sh
# fails: verdict-readable
# Its arguments are not escaped.
cat > /dev/null || exit 111
printf 'log\tC:\\mail\\dump\n'
