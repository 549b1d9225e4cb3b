#!/bin/sh
# fails: empty-message
# It takes it that every message has bytes.
bytes=$(cat) || exit 111
[ -e /dev/fd/0 ] || exit 111
[ "$(wc -c < /proc/self/fd/0)" != 0 ]
