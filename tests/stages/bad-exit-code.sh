#!/bin/sh
# fails: exit-code
# It refuses by an exit code.
cat > /dev/null || exit 111
exit 31
