#!/bin/bash
# R29: nothing is lost: 8 senders, and every program of the instance killed (SIGKILL) again and again. Each message that was answered
# with 250 arrives, whole, at each of its recipients; what is left is garbage in tmp/ at most.
. "$(dirname "$0")/../lib.sh"
need python3
make_signatures
SINK=$(free_port)
make_instance --local home.example --user alice --user bob --clamdb "$T/clamdb" --route "far.example:127.0.0.2:$SINK"
echo 1 > "$POSTERN_HOME/control/retryfirst"
echo 2 > "$POSTERN_HOME/control/retrylongest"
run_instance
start_sink "$SINK"

python3 "$TESTS/load.py" 127.0.0.1 "$PORT" "$SVSCAN" "${KILL_SECONDS:-20}" 8 "$T/record" > "$T/load" 2>&1
code=$?
cat "$T/load"
[ $code = 0 ] || fail "a message was not taken after the last kill, or a program never killed"
wait_for 30 "$B/postern-showctl" --ready
emptied() { try_now; queue_empty; }
began=$SECONDS
wait_for 60 emptied
echo "empty $((SECONDS - began)) seconds after the last message was taken"

python3 - "$POSTERN_HOME" "$T" <<'P' || fail "see above"
import collections, os, re, sys
home, t = sys.argv[1:]
arrived = {"alice@home.example": collections.Counter(), "bob@home.example": collections.Counter(), "carol@far.example": collections.Counter()}
wrong = []

def look(place, where, text):
    match = re.search(rb"^X-Load: (id-\d+-\d+)\r?$", text, re.M)
    if not match:
        return wrong.append("%s: not a message of ours: %r" % (where, text[:300]))
    name = match[1]
    lines = re.findall(rb"^line (\d+) of " + name + rb", long enough to fill some blocks\r?$", text, re.M)
    last = re.search(rb"^\.end of " + name + rb"\r?$", text, re.M)
    if not last or [int(n) for n in lines] != list(range(len(lines))) or len(lines) not in (1, 50, 2000):
        wrong.append("%s: %s is broken: %d lines" % (where, name.decode(), len(lines)))
    arrived[place][name.decode()] += 1

for user in ("alice", "bob"):
    directory = "%s/mail/%s/Maildir/new" % (home, user)
    for file in os.listdir(directory):
        with open(os.path.join(directory, file), "rb") as f:
            look(user + "@home.example", file, f.read())
with open(t + "/sink.messages", "rb") as f:
    for message in re.split(rb"(?m)^(?=Received: from client\.example )", f.read()):
        if message.strip(): look("carol@far.example", "sink", message.replace(b"\r\n..", b"\r\n."))
acknowledged, tries, copies = 0, 0, 0
for line in open(t + "/record"):
    name, recipients, tried = line.split()
    acknowledged += 1
    tries += int(tried)
    for recipient in recipients.split(","):
        count = arrived[recipient][name]
        if count == 0: wrong.append("lost: %s for %s" % (name, recipient))
        copies += max(0, count - 1)
print("%d messages acknowledged in %d tries; %d copies beyond the first" % (acknowledged, tries, copies))
if acknowledged < 50: wrong.append("too few to tell anything")
for line in wrong[:20]: print(line)
sys.exit(1 if wrong else 0)
P
expect_equal "$(spool_files new)$(spool_files cur)$(spool_files defer)" "" "files in the queue"
expect_equal "$(find "$POSTERN_HOME/quarantine" -path '*/new/*' -type f)" "" "files in the quarantine"
expect_not_in <(log_of send) 'Bounced|generated for bounce'
echo "left in tmp/: $(spool_files tmp | wc -l)"
# Garbage is collected by age: what is older than 36 hours goes at send's next start, what is younger stays.
split=$(find "$POSTERN_HOME/queue/tmp" -mindepth 1 -maxdepth 1 -type d | wc -l)
young=$POSTERN_HOME/queue/tmp/1/1 old=$POSTERN_HOME/queue/tmp/1/$((split + 1))
touch "$young"
touch -d '-40 hours' "$old"
svc -t "$POSTERN_HOME/service/send"
collected() { [ ! -e "$old" ]; }
wait_for 30 collected
[ -e "$young" ] || fail "what is young in tmp/ was collected"
