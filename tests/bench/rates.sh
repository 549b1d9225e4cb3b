#!/bin/bash
# What a decision of postern-rated costs, and a key of its memory: rates.sh DIRECTORY-OF-PROGRAMS RATES_COST
set -u
export POSTERN_HOME
POSTERN_HOME=$(mktemp -d /tmp/postern-bench.XXXXXX) || exit 1
mkdir -p "$POSTERN_HOME/run" "$POSTERN_HOME/control" "$POSTERN_HOME/db/rated"
"$1/postern-bind" rated root "$1/postern-rated" --serve & RATED=$!
trap 'kill $RATED; wait $RATED; rm -rf "$POSTERN_HOME"' EXIT
for _ in $(seq 100); do [ -S "$POSTERN_HOME/run/rated" ] && break; read -rt 0.05 <> <(:) || :; done
"$2" "$RATED"
