#!/bin/sh
# fails: verbs-known
# It says a verb that there is not.
cat > /dev/null || exit 111
printf 'delete\tit\n'
