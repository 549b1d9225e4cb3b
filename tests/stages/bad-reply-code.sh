#!/bin/sh
# fails: arguments-replies
# The status says something else than the reply code.
cat > /dev/null || exit 111
printf 'reject\t554\t4.7.1 no\n'
