#!/bin/sh
# fails: no-variables
# It ends badly where a variable is not set.
cat > /dev/null || exit 111
[ -n "$POSTERN_DIRECTION" ]
