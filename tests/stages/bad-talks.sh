#!/bin/sh
# fails: only-a-verdict
# It tells people on descriptor 1 what it does.
cat > /dev/null || exit 111
echo "Scanning done: 0 viruses found"
