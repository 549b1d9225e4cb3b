#!/bin/bash
# Loss of power at any moment: every file operation of a busy instance is recorded, and after each one a model of a disk (tests/replay.py)
# drops what was not synced. Each message that was answered with 250 is still there, whole, for each recipient. The same check
# reports a loss when an fsync is taken out: out of the recording, and, for the two of the queue, out of the run itself.
. "$(dirname "$0")/../lib.sh"
need strace python3
strace -f --seccomp-bpf -o /dev/null true 2> /dev/null || skip "strace may not trace here"
python3 -c 'import ctypes; ctypes.CDLL("libxxhash.so.0")' 2> /dev/null || skip "libxxhash.so.0 is missing"
CALLS=$(python3 "$TESTS/replay.py" calls)
cat > "$T/stage" <<'X'
#!/bin/sh
if grep -q '^X-Hold: yes'; then printf 'quarantine\tHeld\tasked for\n'; fi
X
chmod 755 "$T/stage"

# record NAME [STRACE'S OPTIONS…]: a run of its own, recorded from its start to its end.
record() {
  local name=$1; shift
  POSTERN_HOME=$T/$name
  make_instance --local home.example --user alice --user bob --user carol
  rm -rf "$POSTERN_HOME/mail/carol/Maildir"  # carol's mail is tried and stays
  echo "held $T/stage" > "$POSTERN_HOME/control/stages"
  start svscan strace -D -f -y -q --seccomp-bpf -s 4000000 -e signal=none -e "trace=$CALLS" "$@" -o "$T/$name.trace" svscan "$POSTERN_HOME/service"
  SVSCAN=$LAST_PID
  wait_for 30 listening "$PORT"
  wait_for 30 "$B/postern-showctl" --ready
  python3 "$TESTS/replay.py" send 127.0.0.1 "$PORT" "$T/$name.record" 6 "$EACH" || fail "a message was not taken"
  settled() { [ -z "$(spool_files new)" ] && [ "$(mailbox alice | wc -l)" = "$(for_whom alice "$name")" ] && [ "$(mailbox bob | wc -l)" = "$(for_whom bob "$name")" ]; }
  wait_for 60 settled
  stop_instance
}
# for_whom USER NAME: how many messages that are not held were acknowledged for that user.
for_whom() { grep -v '^id-[0-9]-5 ' "$T/$2.record" | grep -c "$1@home.example"; }
replay() { python3 "$TESTS/replay.py" check "$T/$1.trace" "$T/$1" "$T/$1.record" "${@:2}" > "$T/replay" 2>&1; }

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
PORT=$(sed -n 's/.* 127\.0\.0\.1 \([0-9]*\) .*/\1/p' "$POSTERN_HOME/service/smtpd/run")
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
