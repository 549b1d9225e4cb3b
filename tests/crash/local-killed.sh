#!/bin/bash
# postern-local killed at any of its system calls leaves either nothing in new/ or the whole message.
. "$(dirname "$0")/../lib.sh"
need strace
. "$(dirname "$0")/../as_user.sh"

make_mailbox u1
{ printf 'Subject: x\n\n'; for i in $(seq 4000); do echo "line $i of a message of some length"; done; } > "$T/message"
size=$(($(wc -c < "$T/message") + $(printf 'Return-Path: <a@b>\nDelivered-To: u1@example.org\n' | wc -c)))
delivered=0
for call in write fsync renameat2; do
  for when in 1 2 3 4; do
    as_user strace -f -o "$T/trace" -e trace=$call -e inject=$call:signal=KILL:when=$when \
      "$B/postern-local" u1 "$T/u1" u1 "" "" example.org a@b ./Maildir/ < "$T/message" > "$T/said" 2>&1
    code=$?
    for file in "$T"/u1/Maildir/new/*; do
      [ -e "$file" ] || continue
      expect_equal "$(stat -c %s "$file")" "$size" "size of a message in new/ after a kill at $call $when"
      delivered=$((delivered + 1))
      rm "$file"
    done
    # It said yes only where the message is there.
    [ $code = 0 ] && [ $delivered = 0 ] && fail "exit code 0 without a message, at $call $when"
    [ $code = 0 ] && break
    rm -f "$T"/u1/Maildir/tmp/*
  done
done
[ $delivered -gt 0 ] || fail "no run came as far as a delivery"
