#!/bin/sh
# fails: client-gone
# It goes on trying when nobody reads its verdict.
trap '' PIPE
cat > /dev/null || exit 111
until echo stop; do sleep 0.1; done 2> /dev/null
