#!/bin/sh
# fails: arguments-fields
# A header field's name has its colon.
cat > /dev/null || exit 111
printf 'header-add\tX-Seen:\tyes\n'
