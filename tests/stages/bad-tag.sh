#!/bin/sh
# fails: arguments-names
# A tag's name is in lower case.
cat > /dev/null || exit 111
printf 'tag\tspam\tyes\n'
