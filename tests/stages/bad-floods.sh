#!/bin/sh
# fails: verdict-bounded
# It prints without an end.
cat > /dev/null || exit 111
exec yes "$(printf 'log\tagain')"
