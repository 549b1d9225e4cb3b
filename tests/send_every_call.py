#!/usr/bin/env python3
"""Makes every system call of postern-send on a message's way fail in turn: send_every_call.py errors|kills PROGRAMS HOME...

In each HOME (they work side by side) a stub answers run/lspawn: it notes each delivery in HOME/deliveries and puts bob off the first
time. A message for alice and bob is queued; postern-send runs under strace with one call failing (EIO and what else fits), is told to try
again, and is killed; then one without faults finishes. Both have the message then, no file is left in the queue, and nothing was bounced.
While it had its fault, send neither ended nor turned in circles: it makes a bounded number of calls.

With kills, send is killed (SIGKILL) at the call instead.

Prints cases and copies beyond the first; exit code 1 when one went wrong."""
import collections
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time

kills, programs, homes = sys.argv[1] == "kills", sys.argv[2], sys.argv[3:]
ERRORS = {
    "openat": ("EIO", "EMFILE", "ENOSPC"), "write": ("EIO", "ENOSPC"), "pwrite64": ("EIO", "ENOSPC"), "renameat2": ("EIO", "EROFS", "ENOSPC"),
    "unlink": ("EIO", "EROFS"), "read": ("EIO",), "pread64": ("EIO",), "access": ("EIO",), "memfd_create": ("EMFILE", "ENOMEM"), "fcntl": ("EMFILE",),
    "newfstatat": ("EIO",), "fstat": ("EIO",), "close": ("EIO",), "getdents64": ("EIO",), "socket": ("EMFILE",), "connect": ("ECONNREFUSED",),
    "sendmsg": ("ENOBUFS",), "recvmsg": ("EMFILE",), "recvfrom": ("ENOMEM",), "epoll_ctl": ("ENOMEM",), "epoll_pwait": ("EINTR",), "ioctl": ("EIO",),
}
# Those behind which the disk, or what others know, is another.
KILLS = ("openat", "write", "pwrite64", "renameat2", "unlink", "memfd_create", "sendmsg", "recvfrom", "recvmsg", "epoll_pwait")
CIRCLES = 3000  # calls of a send that does one message in two passes: some hundreds


class Home:
    def __init__(self, home):
        self.home, self.trace = home, home + ".trace"
        self.environment = dict(os.environ, POSTERN_HOME=home, POSTERN_MID="")

    def files(self):
        found = []
        for path, _, files in os.walk(self.home + "/queue"): found += [os.path.join(path, f) for f in files if f.split(".")[0] not in ("lock", "wake", "limits", "sites")]
        return found

    def deliveries(self):
        try:
            with open(self.home + "/deliveries") as file: return collections.Counter(file.read().split())
        except FileNotFoundError:
            return collections.Counter()

    def until(self, seconds, condition):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end: return False
            time.sleep(0.005)
        return True

    def start(self, options):
        command = [programs + "/postern-send"]
        if options is not None: command = ["strace", "-y", "-D", "-o", self.trace] + options + command
        return subprocess.Popen(command, env=self.environment, stdout=subprocess.DEVNULL, stderr=open(self.home + ".log", "a"))

    def try_now(self, send):
        """SIGALRM, once it is caught."""
        try:
            with open("/proc/%d/status" % send.pid) as status: caught = int(re.search(r"SigCgt:\s*(\w+)", status.read())[1], 16)
            if caught >> (signal.SIGALRM - 1) & 1: send.send_signal(signal.SIGALRM)
        except (OSError, TypeError):
            pass  # it has just ended

    def queue(self):
        read, write = os.pipe()
        os.write(write, b"Fa@x.example\0Talice@home.example\0Tbob@home.example\0\0")
        os.close(write)
        done = subprocess.run([programs + "/postern-queue"], input=b"Subject: x\n\nhello\n", env=self.environment, stdout=read, stderr=subprocess.DEVNULL)
        os.close(read)
        if done.returncode != 0: raise SystemExit("postern-queue: exit code %d" % done.returncode)

    def run(self, options):
        """One case. What went wrong, and how many copies there were."""
        for name in ("deliveries", "put-off"):
            if os.path.exists(self.home + "/" + name): os.unlink(self.home + "/" + name)
        open(self.home + ".log", "w").close()
        open(self.trace, "w").close()
        self.queue()
        send = self.start(options)
        both = lambda: os.path.exists(self.home + "/put-off") and self.deliveries()["alice@home.example"] > 0
        ended = lambda: send.poll() is not None
        problems = []
        if self.until(0.6, lambda: ended() or both()):
            for _ in range(6):
                if ended(): break
                self.try_now(send)
                if self.until(0.1, lambda: ended() or not self.files()): break
        if ended() and send.returncode not in ((111, -signal.SIGKILL) if kills else (111,)): problems.append("send ended with %d" % send.returncode)
        send.kill()
        send.wait()
        with open(self.trace, encoding="latin-1") as file: trace = file.read()
        if trace.count("\n") > CIRCLES: problems.append("%d calls" % trace.count("\n"))
        # What is left is the next one's.
        send = self.start(None)
        for _ in range(100):
            self.try_now(send)
            if self.until(0.1, lambda: not self.files()): break
        if self.files(): problems.append("left: %s" % self.files())
        send.kill()
        send.wait()
        got = self.deliveries()
        for who in ("alice@home.example", "bob@home.example"):
            if got[who] == 0: problems.append("lost for " + who)
        if set(got) - {"alice@home.example", "bob@home.example"}: problems.append("more than was sent: %s" % got)
        return trace, problems, sum(got.values()) - 2


def main():
    trace, problems, _ = Home(homes[0]).run([])
    if problems: sys.exit("without any fault: %s" % problems)
    # The loader's calls are not ours: a program that cannot be loaded does nothing. Of calls of one shape (the same but for
    # numbers: one directory like the other) the first two stand for all.
    work, counts, shapes, ours = queue.Queue(), collections.Counter(), collections.Counter(), False
    for line in trace.splitlines():
        match = re.match(r"(\w+)\(((?:[^\"=]|\"[^\"]*\")*)", line)
        if not match: continue
        counts[match[1]] += 1
        ours = ours or homes[0] + "/control" in line
        shape = re.sub(r"\b(0x)?[0-9a-f]{3,}\b|\d+", "N", match[0])
        shapes[shape] += 1
        if not ours or shapes[shape] > 2: continue
        if kills and match[1] in KILLS: work.put((match[1], counts[match[1]], "signal=KILL"))
        for error in () if kills else ERRORS.get(match[1], ()): work.put((match[1], counts[match[1]], "error=" + error))
    cases, wrong, lock = work.qsize(), [], threading.Lock()
    met, copies = [0], [0]

    def worker(home):
        while True:
            try: call, number, error = work.get_nowait()
            except queue.Empty: return
            trace, problems, more = home.run(["-e", "inject=%s:%s:when=%d" % (call, error, number)])
            where = next((line for line in trace.splitlines() if "INJECTED" in line or "killed by" in line), None)
            with lock:
                met[0] += where is not None
                copies[0] += more
                for problem in problems: wrong.append("%s of %s number %d: %s: %s" % (error, call, number, problem, (where or "")[:160]))

    threads = [threading.Thread(target=worker, args=(Home(home),)) for home in homes]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    for line in wrong: print(line)
    print("%d cases, %d of them met, %d copies beyond the first" % (cases, met[0], copies[0]))
    sys.exit(1 if wrong or met[0] < (15 if kills else 50) else 0)


main()
