#!/bin/sh
# fails: leaves-no-children
# It leaves something that runs on.
cat > /dev/null || exit 111
sleep 1000 > /dev/null 2>&1 &
