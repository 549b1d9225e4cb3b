#!/bin/bash
# needs: root
# A whole instance whose queue/ stands on a small file system that gets full, of blocks and then of inodes: 4xx 4.3.1 over SMTP, no file left
# in tmp/; what was accepted before is delivered or retried from the full disk, without turning in circles; mail flows again
# when there is room. The same for work/ in deferred mode.
. "$(dirname "$0")/../lib.sh"
need python3
unshare -m true 2> /dev/null || skip "this kernel gives no mount namespaces here"
make_instance --local home.example --user alice --user bob
echo 1 > "$POSTERN_HOME/control/retryfirst"
echo 1 > "$POSTERN_HOME/control/retrylongest"
echo none > "$POSTERN_HOME/control/stages"
rm -rf "$POSTERN_HOME/mail/bob/Maildir"  # bob's mail waits in the queue
cat > "$T/inside" <<'I'
. "$TESTS_LIB"
trap 'stop_instance' EXIT
POSTERN_HOME=$1 T=$2 PORT=$3
for spool in queue work; do
  cp -a "$POSTERN_HOME/$spool" "$T/$spool.layout"
  mount -t tmpfs -o size=512k,nr_inodes=200,mode=700,uid="$(id -u posternq)" tmpfs "$POSTERN_HOME/$spool" || exit 77
  cp -a "$T/$spool.layout/." "$POSTERN_HOME/$spool"
done
run_instance
mail_for() { mail "$1" "$(head -c "${3:-100}" /dev/zero | tr '\0' x | fold -w 70)" | inject a@far.example "$2@home.example"; }
files_in() { find "$POSTERN_HOME/$1"/{tmp,new,cur} -type f | wc -l; }
arrived() { [ "$(mailbox alice | wc -l)" = "$1" ]; }
fill() {  # SPOOL KIND: until nothing fits
  if [ "$2" = blocks ]; then dd if=/dev/zero of="$POSTERN_HOME/$1/filling" bs=4k 2> /dev/null
  else local n=0; while : > "$POSTERN_HOME/$1/filling.$((n += 1))"; do :; done 2> /dev/null
  fi
}
make_room() { rm -f "$POSTERN_HOME/$1"/filling*; }
calls_of() { awk '/ctxt_switches/ { sum += $2 } END { print sum }' "/proc/$(service_pid "$1")/status"; }

# One that waits in the queue, with its note in defer/.
mail_for waits bob > "$T/answer" || fail "$(cat "$T/answer")"
noted() { find "$POSTERN_HOME/queue/defer" -type f -size +0 | sees .; }
wait_for 30 noted
count=0
for kind in blocks inodes; do
  fill queue $kind
  for size in 100 200000; do
    mail_for full alice $size > "$T/answer"; expect_equal $? 2 "exit code with no $kind left: $(cat "$T/answer")"
    expect_in "$T/answer" '^45[12] 4\.3\.1 '
  done
  expect_equal "$(find "$POSTERN_HOME/queue/tmp" "$POSTERN_HOME/queue/new" -type f | wc -l)" 0 "debris with no $kind left"
  # send tries bob's in spite of it, at its pace.
  tries=$(log_of send | grep -c 'Delayed:')
  before=$(calls_of send)
  more_tries() { [ "$(log_of send | grep -c 'Delayed:')" -ge $((tries + 2)) ]; }
  wait_for 30 more_tries
  [ $(($(calls_of send) - before)) -lt 2000 ] || fail "send turns in circles: $(($(calls_of send) - before)) switches for two tries"
  make_room queue
  mail_for again alice > "$T/answer" || fail "with room again: $(cat "$T/answer")"
  wait_for 30 arrived $((count += 1))
done
expect_not_in <(log_of send) 'Bounced'
# Deferred mode: the disk of work/.
echo deferred > "$POSTERN_HOME/control/scanning"
(cd "$POSTERN_HOME/control" && tcprules tcp.smtp.cdb tcp.smtp.tmp <<< ':allow')
for kind in blocks inodes; do
  fill work $kind
  mail_for full alice > "$T/answer"; expect_equal $? 2 "exit code with no $kind left in work/: $(cat "$T/answer")"
  expect_in "$T/answer" '^45[12] 4\.3\.1 '
  expect_equal "$(files_in work)" 0 "debris in work/ with no $kind left"
  make_room work
  mail_for again alice > "$T/answer" || fail "with room again: $(cat "$T/answer")"
  wait_for 30 arrived $((count += 1))
  # Accepted into work/, and then there is no room for its outputs: it waits there.
  fill queue $kind
  mail_for later alice > "$T/answer" || fail "work/ has room: $(cat "$T/answer")"
  stays() { [ "$(log_of workq | grep -c 'stays in the work queue: 45[12] 4.3.1')" -ge "$1" ]; }
  wait_for 30 stays $((count / 2))
  make_room queue
  wait_for 30 arrived $((count += 1))
done
expect_equal "$(files_in work)" 0 "files in work/ at the end"
# bob's is still there, and arrives.
install -d -o posternm -g posternm -m 700 "$POSTERN_HOME"/mail/bob/Maildir{,/tmp,/new,/cur} 2> /dev/null || install -d -o posternm -m 700 "$POSTERN_HOME"/mail/bob/Maildir{,/tmp,/new,/cur}
try_now
wait_for 30 queue_empty
expect_equal "$(mailbox bob | wc -l)" 1 "bob's mail"
expect_equal "$(spool_files "" | grep -v /lock)" "" "files in queue/ at the end"
I
TESTS_LIB=$TESTS/lib.sh unshare -m bash "$T/inside" "$POSTERN_HOME" "$T" "$PORT" || { code=$?; [ $code != 77 ] || skip "cannot mount a small file system"; fail "see above"; }
