#!/bin/bash
# once: the users do not matter to it
# Loss of power at any moment: every file operation of a busy instance is recorded, and after each one a model of a disk (tests/replay.py)
# drops what was not synced. Each message that was answered with 250 is still there, whole, for each recipient. The same check
# reports a loss when an fsync is taken out: out of the recording, and, for the two of the queue, out of the run itself.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/replay.sh"

EACH=10 record run
replay run --live --leave "$T/left" || { cat "$T/replay"; fail "a loss"; }
cat "$T/replay"
# The programs find the same on that disk.
for left in "$T"/left/*; do
  expect_equal "$(POSTERN_HOME=$left "$B/postern-qread" | awk '$2 == "new" || $2 == "cur"' | wc -l)" "$(find "$left/queue/new" "$left/queue/cur" -type f | wc -l)" "messages in $left"
done
# And an instance that starts on it delivers the rest.
for tree in queue mail quarantine; do
  owners=$(stat -c %u:%g "$T/run/$tree"/*/ | head -n 1)
  find "$T/run/$tree" -mindepth 1 -type f ! -name lock -delete
  cp -r "$T/left/2/$tree/." "$T/run/$tree"
  [ "$(id -u)" != 0 ] || chown -R "$owners" "$T/run/$tree"
done
POSTERN_HOME=$T/run
PORT=$(sed 's/.*://' "$POSTERN_HOME/control/listen")
run_instance
arrived() {
  local name recipients who
  while read -r name recipients; do
    for who in ${recipients//,/ }; do
      case $name-$who in
        *-carol@*) grep -rlq "^X-Replay: $name " "$POSTERN_HOME/queue/cur" "$POSTERN_HOME/quarantine" ;;
        id-*-5-*) grep -rlq "^X-Replay: $name " "$POSTERN_HOME/quarantine" ;;
        *) grep -rlq "^X-Replay: $name " "$POSTERN_HOME/mail/${who%@*}/Maildir/new" ;;
      esac || { echo "$name for $who" > "$T/missing"; return 1; }
    done
  done < "$T/left/2/acknowledged"
}
wait_for 30 arrived
stop_instance
for kind in queue-file queue-directory mail-file mail-directory quarantine-file quarantine-directory; do
  replay run --without $kind && { cat "$T/replay"; fail "no loss without the fsyncs of $kind"; }
  expect_in "$T/replay" '^line [0-9]+, .*: (lost|broken): '
done
# The calls themselves skipped: the first of each two fsyncs is that of the file, the second that of the directory.
EACH=2 record nofile -e inject=fsync:retval=0:when=1+2
replay nofile && fail "no loss although files were not synced"
expect_in "$T/replay" 'fsyncs skipped: .* of queue-file'
tail -n 1 "$T/replay"
EACH=2 record nodirectory -e inject=fsync:retval=0:when=2+2
replay nodirectory && fail "no loss although directories were not synced"
expect_in "$T/replay" 'fsyncs skipped: .* of queue-directory'
tail -n 1 "$T/replay"
