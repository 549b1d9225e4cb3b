#!/bin/bash
# R29: the order of a 250, seen by strace over the whole path (tcpserver, smtpd, scanq, queue): for every message, fsync of its file, then its
# rename into new/, then fsync of that directory, then the reply.
. "$(dirname "$0")/../lib.sh"
need strace python3 tcpserver
make_own_instance
cat > "$T/stage" <<'S'
#!/bin/sh
printf 'tag\tSEEN\tyes\n'
S
chmod +x "$T/stage"
echo "seen $T/stage" > "$POSTERN_HOME/control/stages"
trace() { exec strace -f -y -ttt -s 300 -o "$T/trace.$1" -e trace=fsync,fdatasync,rename,renameat,renameat2,write,sendto,sendmsg,unlink "${@:2}"; }
start queue trace queue "$B/postern-bind" queue "$(id -un)" "$B/postern-queue" --serve --workers 4
start scanq trace scanq "$B/postern-bind" scanq "$(id -un)" "$B/postern-scanq" --serve --workers 4
start smtpd trace smtpd tcpserver -RHl0 127.0.0.1 "$PORT" "$B/postern-smtpd"
for service in queue scanq; do wait_for 30 test -S "$POSTERN_HOME/run/$service"; done
wait_for 30 listening "$PORT"
senders=()
for i in 1 2 3 4; do
  for j in 1 2 3 4 5; do mail "$i.$j" | inject a@x.example b@mx.example.org; done > "$T/answers.$i" &
  senders+=($!)
done
wait "${senders[@]}"
expect_equal "$(cat "$T"/answers.* | grep -c '^250 ')" 20 "messages taken"
python3 - "$T" <<'P' || fail "see above"
import glob, re, sys
t = sys.argv[1]
# A call that another process interrupted in the trace counts at its end: "... resumed".
calls = []
for file in glob.glob(t + "/trace.*"):
    unfinished = {}
    for line in open(file, errors="replace"):
        match = re.match(r"(\d+) +(\d+\.\d+) (.*)", line)
        if not match: continue
        pid, when, what = match[1], float(match[2]), match[3]
        begun = re.match(r"(.*) <unfinished \.\.\.>$", what)
        if begun:
            unfinished[pid] = begun[1]
            # What leaves us counts from its beginning, what must be done before it from its end.
            if re.match(r"(write|sendto)\(", what): calls.append((when, pid, begun[1]))
            continue
        resumed = re.match(r"<\.\.\. (\w+) resumed>(.*)", what)
        if resumed:
            what = unfinished.pop(pid, "") + resumed[2]
            if resumed[1] in ("write", "sendto"): continue
        calls.append((when, pid, what))
calls.sort(key=lambda call: call[0])
def first(pattern, after=0.0, of=None):
    for when, pid, what in calls:
        if when >= after and (of is None or pid == of) and re.search(pattern, what): return when, pid
    return None, None
mids = sorted(set(re.findall(r"250 2\.0\.0 ok (\d+)", "\n".join(what for _, _, what in calls if re.match(r"(write|sendto)\(", what)))))
wrong = 0
for mid in mids:
    sync, worker = first(r"^fsync\(\d+<[^>]*/queue/tmp/\d+/%s>\) += 0" % mid)
    rename, _ = first(r"^renameat2\(.*/queue/tmp/\d+/%s\".*/queue/new/\d+/%s\".* = 0" % (mid, mid), 0, worker)
    directory, _ = first(r"^fsync\(\d+<[^>]*/queue/new/\d+>\) += 0", rename or 0, worker)
    reply, _ = first(r"^(write|sendto)\(\d+<[^>]*>, \"[^\"]*250 2\.0\.0 ok %s" % mid)
    if None in (sync, rename, directory, reply) or not sync < rename < directory < reply:
        wrong += 1
        print("MID %s: fsync %s, rename %s, fsync of the directory %s, 250 %s" % (mid, sync, rename, directory, reply))
print("%d messages in order" % (len(mids) - wrong))
sys.exit(1 if wrong or len(mids) != 20 else 0)
P
expect_equal "$(spool_files new | wc -l)" 20 "messages in the queue"
