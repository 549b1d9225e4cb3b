# For tests that record a busy instance and replay what a loss of power would have left (tests/replay.py). Needs $EACH, messages of
# each of 6 senders.
need strace python3
strace -f --seccomp-bpf -o /dev/null true 2> /dev/null || skip "strace may not trace here"
python3 -c 'import ctypes; ctypes.CDLL("libxxhash.so.0")' 2> /dev/null || skip "libxxhash.so.0 is missing"
CALLS=$(python3 "$TESTS/replay.py" calls)
cat > "$T/stage" <<'X'
#!/bin/sh
if grep -q '^X-Hold: yes'; then printf 'quarantine\tHeld\tasked for\n'; fi
X
chmod 755 "$T/stage"

# record NAME [STRACE'S OPTIONS…]: a run of its own, recorded from its start to its end; mail is scanned as $SCANNING says.
record() {
  local name=$1; shift
  POSTERN_HOME=$T/$name
  make_instance --local home.example --user alice --user bob --user carol
  rm -rf "$POSTERN_HOME/mail/carol/Maildir"  # carol's mail is tried and stays
  echo "held $T/stage" > "$POSTERN_HOME/control/stages"
  if [ "${SCANNING:-}" = deferred ]; then
    echo deferred > "$POSTERN_HOME/control/scanning"
    (cd "$POSTERN_HOME/control" && tcprules tcp.smtp.cdb tcp.smtp.tmp <<< ':allow')
  fi
  start svscan strace -D -f -y -q --seccomp-bpf -s 4000000 -e signal=none -e "trace=$CALLS" "$@" -o "$T/$name.trace" svscan "$POSTERN_HOME/service"
  SVSCAN=$LAST_PID
  wait_for 30 listening "$PORT"
  wait_for 30 "$B/postern-showctl" --ready
  python3 "$TESTS/replay.py" send 127.0.0.1 "$PORT" "$T/$name.record" 6 "$EACH" || fail "a message was not taken"
  settled() { [ -z "$(work_files)" ] && [ -z "$(spool_files new)" ] && [ "$(mailbox alice | wc -l)" = "$(for_whom alice "$name")" ] && [ "$(mailbox bob | wc -l)" = "$(for_whom bob "$name")" ]; }
  wait_for 60 settled
  stop_instance
}
work_files() { find "$POSTERN_HOME"/work/{new,cur} -type f; }
# for_whom USER NAME: how many messages that are not held were acknowledged for that user.
for_whom() { grep -v '^id-[0-9]-5 ' "$T/$2.record" | grep -c "$1@home.example"; }
replay() { python3 "$TESTS/replay.py" check "$T/$1.trace" "$T/$1" "$T/$1.record" "${@:2}" > "$T/replay" 2>&1; }
