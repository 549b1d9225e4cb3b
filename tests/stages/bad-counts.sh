#!/bin/sh
# fails: argument-counts
# A verb has an argument too few.
cat > /dev/null || exit 111
printf 'reject\t5.7.1 no\n'
