#!/bin/sh
# fails: output-needs-message
# It writes to descriptor 4 and does not say so.
cat > /dev/null || exit 111
{ echo 'Subject: new' >&4; } 2> /dev/null
exit 0
