#!/bin/sh
# fails: message-needs-output
# It says that it has written a message, and has not.
cat > /dev/null || exit 111
echo message
