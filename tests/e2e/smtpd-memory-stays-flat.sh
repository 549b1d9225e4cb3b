#!/bin/bash
# A message of 40 MB lies in the memory file alone: the program's own memory grows no more than with a small one. It may
# not even map as much: with 12 MiB of address space there is no room for the message.
. "$(dirname "$0")/../lib.sh"
need python3
make_home
cat > "$T/queue" <<'Q'
#!/bin/sh
wc -c > "$POSTERN_HOME/size"
Q
chmod +x "$T/queue"
export QMAILQUEUE=$T/queue
python3 - > "$T/conversation" <<'P'
import sys
out = sys.stdout.buffer
out.write(b"EHLO client.example\r\nMAIL FROM:<s@client.example>\r\nRCPT TO:<a@mx.example.org>\r\nDATA\r\n\r\n")
for _ in range(400):
    out.write((b"x" * 998 + b"\r\n") * 100)
out.write(b".\r\nQUIT\r\n")
P
! grep -q __asan_init "$B/postern-smtpd" || skip "the sanitizer needs its own address space"
(ulimit -v 12288; "$B/postern-smtpd" < "$T/conversation" > "$T/replies" 2> "$T/log") || fail "smtpd"
expect_in "$T/replies" '^250 2.0.0 ok [0-9]+'
size=$(cat "$POSTERN_HOME/size")
[ "$size" -gt 39960000 ] || fail "only $size bytes came"
