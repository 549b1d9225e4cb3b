#!/bin/bash
# A queue program that is killed, missing, silent or not executable is a temporary failure, and the message is not claimed.
. "$(dirname "$0")/../lib.sh"
make_home
printf '#!/bin/sh\nkill -9 $$\n' > "$T/killed"
printf '#!/bin/sh\ncat >/dev/null; exit 99\n' > "$T/unknown-code"
printf '#!/bin/sh\ncat >/dev/null; echo "250 2.0.0 ok" >&6; exit 82\n' > "$T/wrong-reason"
printf '#!/bin/sh\ncat >/dev/null; echo "D250 2.0.0 ok" >&6; exit 82\n' > "$T/wrong-class"
printf '#!/bin/sh\ncat >/dev/null; exit 82\n' > "$T/no-reason"
chmod +x "$T"/killed "$T"/unknown-code "$T"/wrong-reason "$T"/wrong-class "$T"/no-reason
touch "$T/not-executable"

expect_reply() {
  printf 'EHLO client.example\r\nMAIL FROM:<s@client.example>\r\nRCPT TO:<a@mx.example.org>\r\nDATA\r\nSubject: x\r\n.\r\nQUIT\r\n' |
    QMAILQUEUE=$1 "$B/postern-smtpd" > "$T/replies" 2> "$T/log"
  sed 's/\r$//' "$T/replies" | sed -n '/^354/{n;p}' > "$T/reply"
  expect_in "$T/reply" "$2"
  expect_not_in "$T/log" ' ready '
  expect_in "$T/log" " rejected: ${2#^}"
}
expect_reply "$T/killed" '^451 4\.'
expect_reply "$T/unknown-code" '^451 4\.'
expect_reply "$T/wrong-reason" '^451 4\.'
expect_reply "$T/wrong-class" '^554 5\.'
expect_reply "$T/no-reason" '^451 4\.'
expect_reply "$T/not-executable" '^451 4\.3\.5'
expect_reply "$T/not-there" '^451 4\.3\.5'
