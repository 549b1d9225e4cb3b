#!/bin/sh
# fails: looks-like-a-verdict
# It lets pass what a message says in the form of a verdict.
message=$(tr -d '\000') || exit 111
printf '%s\n' "$message" | grep -a "^recipient-add$(printf '\t')"
exit 0
