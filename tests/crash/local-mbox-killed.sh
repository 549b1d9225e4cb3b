#!/bin/bash
# postern-local killed at any of its system calls while it appends to an mbox: what stood there before stays whole, a yes was said
# only for a whole message, and the next delivery is a message of its own.
. "$(dirname "$0")/../lib.sh"
need strace python3
. "$(dirname "$0")/../as_user.sh"
. "$(dirname "$0")/../local.sh"

make_mailbox u1
D=$T/u1
dot "" < <(echo ./mbox)
{ printf 'Subject: long\n\n'; for i in $(seq 4000); do echo "line $i of a message of some length"; done; } > "$T/long"
printf 'Subject: first\n\nhello\n' > "$T/first"
deliver 0 u1 "" "" < "$T/first"
cp -p "$D/mbox" "$T/before"
killed=0
partial=0
for call in fcntl flock write fsync; do
  for when in 1 2 3 4 5; do
    cp -p "$T/before" "$D/mbox"
    as_user strace -f -o "$T/trace" -e trace=$call -e inject=$call:signal=KILL:when=$when \
      "$B/postern-local" u1 "$D" u1 "" "" example.org a@b ./Maildir/ < "$T/long" > "$T/said" 2>&1
    code=$?
    cmp -n "$(stat -c %s "$T/before")" "$T/before" "$D/mbox" || fail "the first message changed, killed at $call $when"
    if [ $code = 0 ] || grep -q '^mbox: ' "$T/said"; then
      grep -qx 'line 4000 of a message of some length' "$D/mbox" || fail "said yes for a part of a message, killed at $call $when"
    fi
    [ $code = 0 ] && break
    killed=$((killed + 1))
    [ "$(stat -c %s "$D/mbox")" = "$(stat -c %s "$T/before")" ] || partial=$((partial + 1))
    deliver 0 u1 "" "" < "$T/first"
    python3 - "$D/mbox" <<'P' || fail "the next message is not one of its own, killed at $call $when"
import mailbox, sys
messages = list(mailbox.mbox(sys.argv[1]))
assert [m["Subject"] for m in messages if m["Subject"] == "first"] == ["first", "first"], [m["Subject"] for m in messages]
assert messages[-1]["Subject"] == "first" and messages[-1].get_payload().strip() == "hello"
P
  done
done
[ $killed -gt 4 ] && [ $partial -gt 0 ] || fail "killed $killed times, $partial times in the middle: too few to say anything"
