#!/bin/bash
# Who does not exist is answered as who does: with a salt that stays the same, after as much work, in the same words.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/auth.sh"
need python3 tcpserver
start_instance
add_user alice pencil && add_user bob crayon --no-scram
submission auth=preferred auth_without_tls=on
expect_equal "$(login alice wrong)" "$(login nobody wrong)" "the replies"
salt() { python3 "$TESTS/auth.py" salt "$SUBMIT" "$1"; }
for name in alice bob nobody somebody; do
  salt $name > "$T/salt.$name"
  expect_equal "$(salt $name)" "$(cat "$T/salt.$name")" "the salt of $name"
  expect_in "$T/salt.$name" '^,s=[A-Za-z0-9+/]{22}==,i=65536$'
done
[ "$(sort -u "$T"/salt.* | wc -l)" = 4 ] || fail "two have one salt"
svc -t "$POSTERN_HOME/service/authq"
wait_for 30 eval "salt nobody > $T/again; cmp -s $T/again $T/salt.nobody"

# CPU time, not the clock's: what is not hashed takes a small part of it.
python3 - "$B/postern-checkpassword" << 'P' || fail "the work differs"
import os, resource, subprocess, sys
def work(user):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in range(8):
        r, w = os.pipe()
        os.write(w, b"%s\0wrong\0x\0" % user); os.close(w)
        def place(): os.dup2(r, 3)
        code = subprocess.run([sys.argv[1], "/bin/true"], preexec_fn=place, pass_fds=(3,)).returncode
        os.close(r)
        assert code == 1, code
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
work(b"alice")
known, unknown, odd = work(b"alice"), work(b"nobody"), work(b"\xff")
print(known, unknown, odd)
sys.exit(min(unknown, odd) < known / 2 or max(unknown, odd) > known * 2)
P
