#!/bin/sh
# fails: arguments-addresses
# It splits off somebody who is no recipient.
cat > /dev/null || exit 111
printf 'split\tlists\tnobody@elsewhere.example\n'
