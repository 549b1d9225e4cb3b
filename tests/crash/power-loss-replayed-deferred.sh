#!/bin/bash
# once: the users do not matter to it
# The same as power-loss-replayed.sh for mail that is answered before it is scanned: after the 250 it stands in work/, until its
# outputs are durable. A loss is reported without the fsyncs of work/.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/replay.sh"

SCANNING=deferred EACH=6 record run
replay run --live || { cat "$T/replay"; fail "a loss"; }
cat "$T/replay"
for kind in work-file work-directory queue-file queue-directory; do
  replay run --without $kind && { cat "$T/replay"; fail "no loss without the fsyncs of $kind"; }
  expect_in "$T/replay" '^line [0-9]+, .*: (lost|broken): '
done
