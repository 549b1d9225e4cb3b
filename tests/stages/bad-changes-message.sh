#!/bin/sh
# fails: message-unchanged
# It changes the message in its place.
cat > /dev/null || exit 111
{ printf X 1<> /proc/self/fd/0; } 2> /dev/null
exit 0
