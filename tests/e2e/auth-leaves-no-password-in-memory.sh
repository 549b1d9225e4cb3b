#!/bin/bash
# After an exchange, or an AUTH that is refused at once, no process has the password any more, in any form: every page of authq's workers and
# of the session is read.
# Neither would leave a core. The control: it is seen in the client, which keeps it.
# needs: root
. "$(dirname "$0")/../lib.sh"
. "$TESTS/auth.sh"
need python3 tcpserver
start_instance
PASSWORD=Zaunkoenig-4711-Sperling
add_user alice $PASSWORD
submission auth=preferred auth_without_tls=on
AUTHQ=$(service_pid authq)
cat > "$T/find.py" << 'P'
import base64, re, sys
password = b"Zaunkoenig-4711-Sperling"
wanted = [password, base64.b64encode(password), base64.b64encode(b"\0alice\0" + password)]
found = 0
for pid in sys.argv[1:]:
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in open(f"/proc/{pid}/maps"):
            begin, end, mode = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+)", line).groups()
            if "r" not in mode or "[v" in line: continue
            try:
                memory.seek(int(begin, 16)); content = memory.read(int(end, 16) - int(begin, 16))
            except OSError: continue
            for form in wanted:
                # What ends a form may have been overwritten: most of it is as bad.
                at = content.find(form[:16])
                if at >= 0: found += 1; print(pid, line.strip(), form, content[max(at - 40, 0):at + 60])
sys.exit(found > 0)
P
for mechanism in PLAIN LOGIN REFUSED; do
  mkfifo "$T/hold.$mechanism"
  python3 "$TESTS/auth.py" hold "$SUBMIT" alice $PASSWORD $mechanism < "$T/hold.$mechanism" > "$T/held.$mechanism" &
  CLIENT=$!
  exec 9> "$T/hold.$mechanism"
  wait_for 30 grep -Eq '^(235|503) ' "$T/held.$mechanism"
  one_session() { [ "$(pgrep -c -P "$SUBMIT_PID")" = 1 ]; }
  wait_for 30 one_session
  SESSION=$(pgrep -P "$SUBMIT_PID")
  for pid in $SESSION "$AUTHQ" $(pgrep -P "$AUTHQ"); do
    expect_in "/proc/$pid/limits" '^Max core file size +0 '
    python3 "$T/find.py" "$pid" || fail "the password is in $(tr '\0' ' ' < "/proc/$pid/cmdline")"
  done
  python3 "$T/find.py" "$CLIENT" > /dev/null && fail "the search finds nothing"
  exec 9>&-
  wait "$CLIENT"
done
