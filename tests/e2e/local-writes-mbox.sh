#!/bin/bash
# postern-local's mbox: messages that every reader takes apart again, From_ lines quoted, both kinds of locks respected, many
# deliveries at once, and no way to another file through a link that somebody else put there.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../as_user.sh"
. "$(dirname "$0")/../local.sh"
need python3 flock

make_mailbox u1
D=$T/u1
dot "" < <(echo ./mbox)
holders() { ls -l /proc/[0-9]*/fd 2> /dev/null | grep -c "$D/mbox\$"; }
more_holders() { [ "$(holders)" -gt "$1" ]; }
count() { python3 -c 'import mailbox, sys; print(len(mailbox.mbox(sys.argv[1], create=False)))' "$1"; }

# Lines that could be taken for the next message; a last line without LF; a message without a body.
printf 'Subject: one\n\nFrom a\n>From b\n>>From c\nfrom d\n From e\nFromage\n> From f\n>From' > "$T/one"
printf 'Subject: two\n' > "$T/two"
deliver 0 u1 "" "" < "$T/one"
expect_equal "$(cat "$T/said")" "mbox: $D/mbox" "what it says"
deliver 0 u1 "" "" < "$T/two"
deliver 0 u1 "" "" "" < "$T/one"
expect_equal "$(count "$D/mbox")" 3 "messages"
sed -n '1,/^$/!p' "$D/mbox" | sed '/^$/q' > "$T/body"
expect_equal "$(cat "$T/body")" "$(printf '>From a\n>>From b\n>>>From c\nfrom d\n From e\nFromage\n> From f\n>From\n')" "quoting"
expect_equal "$(grep -c '^From MAILER-DAEMON ' "$D/mbox")" 1 "From_ lines of bounces"
expect_equal "$(stat -c %a "$D/mbox")" 600 "mode"
expect_equal "$(tail -c 2 "$D/mbox" | od -An -c | tr -d ' ')" '\n\n' "the end"

# Both kinds of locks, held by another, are waited for.
python3 - "$D/mbox" "$T/held" <<'P' &
import fcntl, os, sys
with open(sys.argv[1], "r+") as f:
    fcntl.lockf(f, fcntl.LOCK_EX)
    open(sys.argv[2], "w").close()
    while not os.path.exists(sys.argv[2] + ".end"):
        os.stat(sys.argv[1])
P
wait_for 30 test -e "$T/held"
before=$(holders)
deliver 0 u1 "" "" < "$T/two" &
delivering=$!
wait_for 30 more_holders "$before"
expect_equal "$(count "$D/mbox")" 3 "messages while it is locked"
touch "$T/held.end"
wait $delivering || fail "not delivered when the lock was free again"
expect_equal "$(count "$D/mbox")" 4 "messages when the lock was free again"
mkfifo "$T/go"
flock -x "$D/mbox" sh -c "touch '$T/flocked'; read x < '$T/go'" &
wait_for 30 test -e "$T/flocked"
before=$(holders)
deliver 0 u1 "" "" < "$T/two" &
delivering=$!
wait_for 30 more_holders "$before"
expect_equal "$(count "$D/mbox")" 4 "messages while flock holds it"
echo > "$T/go"
wait $delivering || fail "not delivered when flock let go"

# Many at once.
head -c 300000 /dev/zero | tr '\0' '\n' | sed 's/^/From a long message/' > "$T/body"
{ printf 'Subject: many\n\n'; head -c 200000 "$T/body"; } > "$T/many"
pids=()
for i in 1 2 3 4 5 6; do deliver 0 u1 "" "" < "$T/many" & pids+=($!); done
for pid in "${pids[@]}"; do wait "$pid" || fail "one of many"; done
expect_equal "$(count "$D/mbox")" 11 "messages"
expect_equal "$(grep -c '^Subject: many$' "$D/mbox") $(grep -c '^From ' "$D/mbox")" "6 11" "messages of many at once"

# A directory that others may write: no link is followed, no file of another name or owner used.
mkdir "$T/spool"
chmod 1777 "$T/spool"
echo precious | as_user tee "$D/precious" > /dev/null
ln -s "$D/precious" "$T/spool/u1"
dot "" < <(echo "$T/spool/u1")
deliver 111 u1 "" "" < "$T/two"; expect_in "$T/said" '^4\.'
rm "$T/spool/u1"
as_user ln "$D/precious" "$T/spool/u1"
deliver 111 u1 "" "" < "$T/two"; expect_in "$T/said" '^4\.7\.0 .*second name'
expect_equal "$(cat "$D/precious")" precious "a file behind a link"
as_user rm "$T/spool/u1"
deliver 0 u1 "" "" < "$T/two"
if [ "$(id -u)" = 0 ]; then
  mv "$T/spool/u1" "$T/spool/mine"; chown 0 "$T/spool/mine"; chmod 666 "$T/spool/mine"
  dot "" < <(echo "$T/spool/mine")
  deliver 111 u1 "" "" < "$T/two"; expect_in "$T/said" '^4\.'
fi
# In his own home a link is his own.
as_user ln -s mbox "$D/inbox"
dot "" < <(echo ./inbox)
deliver 0 u1 "" "" < "$T/two"
expect_equal "$(count "$D/mbox")" 12 "messages behind his own link"
# No plain file.
as_user mkfifo "$D/fifo"
dot "" < <(echo ./fifo); deliver 111 u1 "" "" < "$T/two"; expect_in "$T/said" '^4\.2\.1 .*no plain file'
