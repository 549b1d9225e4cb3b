#!/usr/bin/env python3
"""Makes every system call of a program on a message's way fail in turn: every_call.py PROGRAMS HOME PROGRAM...

A message goes over SMTP through smtpd, scanq, and queue or quarantine, all in path form, one of them (PROGRAM: smtpd, scanq, queue or
quarantine) under strace. The first time its calls are counted; then each that a disk, a table of descriptors or the memory can fail is made to fail with each
error that fits. After each run: no 5yz; after 250 the message stands whole where it belongs; after 4yz no file is left that would be
delivered, and none in tmp/; and a file whose fsync failed is neither synced again nor renamed.

Prints the number of cases by program and answer; exit code 1 when one went wrong."""
import collections
import os
import re
import subprocess
import sys

from replay import queue_file

programs, home, names = sys.argv[1], sys.argv[2], sys.argv[3:]
DISK = ("EIO", "ENOSPC", "EDQUOT")
ERRORS = {
    "open": DISK + ("EROFS", "EMFILE", "ENFILE"), "openat": DISK + ("EROFS", "EMFILE", "ENFILE"), "write": DISK, "pwrite64": DISK,
    "writev": DISK, "fsync": DISK, "fdatasync": DISK, "close": ("EIO",), "renameat2": DISK + ("EROFS",), "rename": DISK + ("EROFS",), "mkdir": ("EIO",),
    "read": ("EIO",), "pread64": ("EIO",), "access": ("EIO",), "lseek": ("EIO",), "fstat": ("EIO",), "newfstatat": ("EIO",),
    "memfd_create": ("EMFILE", "ENFILE", "ENOMEM"), "fcntl": ("EMFILE",), "pipe2": ("EMFILE", "ENFILE"), "vfork": ("EAGAIN", "ENOMEM"),
    "clone3": ("EAGAIN", "ENOMEM"), "clone": ("EAGAIN", "ENOMEM"), "fork": ("EAGAIN", "ENOMEM"), "mmap": ("ENOMEM",), "brk": ("ENOMEM",),
    "getdents64": ("EIO",), "unlink": ("EIO", "EROFS"), "flock": ("EIO",), "ftruncate": DISK, "wait4": ("EINVAL",), "waitid": ("EINVAL",),
}
MESSAGE = b"Subject: every call\r\n\r\n" + b"".join(b"line %d of some length, so that there are blocks\r\n" % i for i in range(1500)) + b"the end\r\n"
DIALOGUE = b"EHLO c.example\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<%s@home.example>\r\nDATA\r\n" + MESSAGE + b".\r\nQUIT\r\n"
BODY = MESSAGE.replace(b"\r\n", b"\n")
STRACE = subprocess.run(["sh", "-c", "command -v strace"], capture_output=True, text=True).stdout.strip()
INDEX = home + "/db/quarantine"  # the quarantine's, the same before each run
TRACE = home + "/../every-call.trace"


def spool_files(*places):
    found = []
    for place in places:
        for path, _, files in os.walk(home + "/" + place): found += [os.path.join(path, file) for file in files if file not in ("wake", "lock")]
    return found


def run(program, options):
    """The replies of smtpd with PROGRAM under strace."""
    paths = {name: programs + "/postern-" + name for name in ("smtpd", "scanq", "queue", "quarantine")}
    paths[program] = " ".join([STRACE, "-y", "-o", TRACE] + options + [paths[program]])
    environment = dict(os.environ, POSTERN_HOME=home, QMAILQUEUE=paths["scanq"], POSTERN_QUEUE=paths["queue"],
                       POSTERN_QUARANTINE_PROGRAM=paths["quarantine"], TCPREMOTEIP="127.0.0.1", RELAYCLIENT="")
    del environment["RELAYCLIENT"]
    with open(TRACE, "w"): pass
    user = b"held" if program == "quarantine" else b"alice"
    done = subprocess.run(paths["smtpd"].split(), input=DIALOGUE % user, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    return done.stdout.decode("latin-1").split("\r\n"), done.stderr.decode("latin-1"), open(TRACE, encoding="latin-1").read()


def answer(replies):
    """The class of the reply that decided: the one to the message, or the first refusal; 0: there was none."""
    after_data = False
    for reply in replies:
        if re.match(r"[45]\d\d", reply): return int(reply[0])
        if after_data and reply.startswith("2"): return 2
        after_data = after_data or reply.startswith("354")
    return 0


def judge(program, replies, trace):
    problems = []
    said = answer(replies)
    if said == 5: problems.append("a permanent reply")
    ready = spool_files("queue/new", "queue/cur") + [f for f in spool_files("quarantine") if "/tmp/" not in f[len(home):]]
    whole = []
    for file in ready:
        with open(file, "rb") as opened: found = queue_file(opened.read())
        if found and found[0].endswith(BODY): whole.append(file)
        else: problems.append("not whole: " + file)
    if said == 2 and len(whole) != 1: problems.append("250, and %d messages" % len(whole))
    # Behind the one that makes the message durable a fault may come too late: the client is then told to come again.
    # One that was killed between the quarantine's file and its row has left a file that no list shows.
    killed = "+++ killed by" in trace
    unlisted = killed and program == "quarantine"
    if said != 2 and ready and program in ("queue", "quarantine") and not unlisted: problems.append("refused, and there: %s" % ready)
    # An unlink that fails leaves what is in tmp/, and so does a kill: it is never delivered.
    failed_unlink = re.search(r"unlink.*INJECTED", trace)
    if not failed_unlink and not killed and spool_files("queue/tmp", "quarantine/messages/tmp"): problems.append("debris: %s" % spool_files("queue/tmp"))
    for match in re.finditer(r"fsync\(\d+<([^>]*/tmp/\d+/(\d+))>\) += -1.*INJECTED", trace):
        rest = trace[match.end():]
        if re.search(r"fsync\(\d+<[^>]*/%s>" % match[2], rest) or re.search(r"rename\w*\(.*/%s\"" % match[2], rest): problems.append("trusted after a failed fsync")
    return said, problems


def clean():
    for file in spool_files("queue", "quarantine"): os.unlink(file)
    if os.path.isdir(INDEX + ".before"):
        subprocess.run(["rm", "-rf", INDEX], check=True)
        subprocess.run(["cp", "-r", INDEX + ".before", INDEX], check=True)


def calls_of(program):
    """(call, its number) for each call from the program's start to its end."""
    run(program, [])
    clean()
    if program == "quarantine": subprocess.run(["cp", "-r", INDEX, INDEX + ".before"], check=True)
    replies, log, trace = run(program, [])
    if answer(replies) != 2: sys.exit("without any fault: %s\n%s" % (replies, log))
    clean()
    counts = collections.Counter(match[1] for match in re.finditer(r"^(\w+)\(", trace, re.M))
    return [(call, number) for call in ERRORS for number in range(1, counts[call] + 1)]


def main():
    wrong = 0
    for program in names:
        outcomes, late = collections.Counter(), 0
        for call, number in calls_of(program):
            for error in ERRORS[call]:
                replies, log, trace = run(program, ["-e", "inject=%s:error=%s:when=%d" % (call, error, number)])
                if "INJECTED" not in trace:
                    outcomes["not met"] += 1
                    clean()
                    continue
                said, problems = judge(program, replies, trace)
                outcomes[{2: "250", 4: "4yz", 5: "5yz", 0: "no reply"}[said]] += 1
                late += said != 2 and bool(spool_files("queue/new"))
                for problem in problems:
                    wrong += 1
                    print("%s, %s of %s number %d: %s: %s" % (program, error, call, number, problem, next((l for l in trace.splitlines() if "INJECTED" in l), "")[:200]))
                clean()
        print("%s: %s%s" % (program, ", ".join("%d %s" % (count, what) for what, count in sorted(outcomes.items())),
                            "; of these %d came after the message was durable" % late if late else ""), flush=True)
        if outcomes["4yz"] == 0: wrong += 1
    sys.exit(1 if wrong else 0)


main()
