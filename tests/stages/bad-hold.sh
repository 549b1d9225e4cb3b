#!/bin/sh
# fails: arguments-numbers
# A hold's end is written for people.
cat > /dev/null || exit 111
printf 'hold\ttomorrow\tan outbreak\n'
