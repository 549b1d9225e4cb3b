#!/bin/sh
# fails: same-answer-again
# It does not say the same of the same message.
cat > /dev/null || exit 111
printf 'tag\tSEEN\t%s\n' "$$"
