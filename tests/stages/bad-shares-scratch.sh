#!/bin/sh
# fails: twenty-at-once
# All its processes use one scratch file.
scratch=${TMPDIR:-/tmp}/bad-shares-scratch
cat > "$scratch" || exit 111
sleep 0.02
length=$(wc -c 2> /dev/null < "$scratch")
rm -f "$scratch"
printf 'tag\tLENGTH\t%s\n' "$length"
