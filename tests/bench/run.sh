#!/bin/bash
# Postern beside Postfix on this machine: run.sh BUILD/BIN [--av] [--checks list|reputation] [--only W1,W2,W3] [--runs N] [--messages N]
# bench.py says what is measured and how. Needs root for Postfix; without root Postern is measured alone.
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
BIN=$(cd "${1:?the directory of the built programs}" && pwd) || exit 1
shift
export PATH=$PATH:/usr/sbin:/sbin
exec python3 -B "$HERE/bench.py" "$BIN" "$@"
