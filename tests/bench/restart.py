#!/usr/bin/python3
"""How soon postern-send delivers after a start on a long queue, and what it holds in memory: restart.py BUILD/BIN [--messages N]

Three queues, each with nothing in the page cache and once more with everything in it:

  waiting  N messages that are due later, 10 that are due, and 10 new ones
  due      N messages that are all due
  untried  N messages that were taken over and never tried

A line for each: seconds from the start of postern-send to the first job (and for "waiting" to the last of the 20), and until it has
looked at all of them; for "waiting" also the memory of a message that waits: private memory over that of postern-send without a queue.
Ends with 1 when a first delivery took more than 3 s or a message more than 1 KB. Root can empty the page cache, directories and inodes
too; others only what the files hold, and the line says so."""
import argparse
import array
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import fill_queue

LIMIT_SECONDS = 3.0
LIMIT_BYTES = 1024


class Deliverer:
    """run/lspawn: says done to every job, and keeps when each came."""

    def __init__(self, home):
        self.times = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.bind(home + "/run/lspawn")
        self.socket.listen(100)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            threading.Thread(target=self.serve, args=(self.socket.accept()[0],), daemon=True).start()

    def serve(self, connection):
        while True:
            request, ancillary, _, _ = connection.recvmsg(70000, 1024)
            if not request:
                return
            self.times.append(time.monotonic())
            for _, _, data in ancillary:
                for fd in array.array("i", data[:len(data) // 4 * 4]):
                    os.close(fd)
            connection.send(b"\0rdone\0Kdone\0")


def empty_cache(home):
    """What of the page cache could be emptied."""
    subprocess.run(["sync"], check=True)
    try:
        with open("/proc/sys/vm/drop_caches", "w") as control:
            control.write("3\n")
        return "cold"
    except OSError:
        for directory, _, files in os.walk(home + "/queue"):
            for name in files:
                if name == "wake":
                    continue
                fd = os.open(os.path.join(directory, name), os.O_RDONLY)
                os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
                os.close(fd)
        return "cold files"


def private_bytes(pid):
    with open(f"/proc/{pid}/smaps_rollup") as rollup:
        return sum(int(line.split()[1]) for line in rollup if line.startswith("Private_")) * 1024


def cpu_seconds(pid):
    return int(open(f"/proc/{pid}/schedstat").read().split()[0]) / 1e9


def wait_until_quiet(pid):
    """Seconds (monotonic) at which it had nothing more to do: no CPU time in half a second."""
    quiet_since, last = time.monotonic(), cpu_seconds(pid)
    while time.monotonic() - quiet_since < 0.5:
        time.sleep(0.02)
        now = cpu_seconds(pid)
        if now != last:
            quiet_since, last = time.monotonic(), now
    return quiet_since


class Bench:
    def __init__(self, options, scratch):
        self.options = options
        self.home = os.path.join(scratch, "home")
        os.makedirs(self.home + "/run")
        os.makedirs(self.home + "/control")
        for name, value in (("me", "mx.example"), ("locals", "local.example"), ("doublebounceto", "#")):
            with open(f"{self.home}/control/{name}", "w") as file:
                file.write(value + "\n")
        self.deliverer = Deliverer(self.home)
        self.fine = True

    def empty_queue(self):
        shutil.rmtree(self.home + "/queue", ignore_errors=True)
        for place in ("tmp", "new", "cur", "defer"):
            for part in range(fill_queue.SPLIT):
                os.makedirs(f"{self.home}/queue/{place}/{part}")

    def run(self, wanted):
        """Starts postern-send; (first job, job number `wanted`, quiet) in seconds, private bytes."""
        del self.deliverer.times[:]
        start = time.monotonic()
        process = subprocess.Popen([self.options.bin + "/postern-send"], stderr=subprocess.DEVNULL,
                                   env=dict(os.environ, POSTERN_HOME=self.home))
        try:
            end = start + 120
            while len(self.deliverer.times) < wanted and time.monotonic() < end:
                time.sleep(0.005)
            if len(self.deliverer.times) < wanted:
                raise SystemExit(f"{len(self.deliverer.times)} of {wanted} deliveries in two minutes")
            if wanted > 20:
                times = sorted(self.deliverer.times)
                return times[0] - start, times[wanted - 1] - start, 0, 0
            quiet = wait_until_quiet(process.pid)
            times = sorted(self.deliverer.times) or [start]
            return times[0] - start, times[-1] - start, quiet - start, private_bytes(process.pid)
        finally:
            process.terminate()
            process.wait()

    def waiting(self, cold):
        self.empty_queue()
        _, _, _, without = self.run(0)
        self.empty_queue()
        fill_queue.fill(self.home, self.options.messages, next_in=600, spread=2900)  # within retrylongest
        first = (int(time.time()) * 1000000) << 12
        fill_queue.fill(self.home, 10, next_in=-60, first=first)
        fill_queue.fill(self.home, 10, place="new", first=first + (1 << 30))
        cache = empty_cache(self.home) if cold else "warm"
        first, last, quiet, private = self.run(20)
        each = (private - without) / self.options.messages
        self.report("waiting", cache, first, f"all 20 that are due after {last:.2f} s, all looked at after {quiet:.2f} s, "
                    f"{each:.0f} bytes/message")
        if each > LIMIT_BYTES:
            self.fine = False

    def busy(self, name, cold, next_in):
        self.empty_queue()
        fill_queue.fill(self.home, self.options.messages, next_in=next_in)
        cache = empty_cache(self.home) if cold else "warm"
        first, last, _, _ = self.run(1000)
        self.report(name, cache, first, f"1,000 after {last:.2f} s")

    def report(self, name, cache, first, rest):
        print(f"restart {name} {cache} {self.options.messages} messages: first delivery after {first:.2f} s; {rest}", flush=True)
        if first > LIMIT_SECONDS:
            self.fine = False


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin")
    parser.add_argument("--messages", type=int, default=100000)
    parser.add_argument("--only", default="waiting,due,untried")
    parser.add_argument("--cache", default="cold,warm")
    parser.add_argument("--directory", default=os.environ.get("BENCH_DIR", "/var/tmp"), help="must be on a disk")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was made is removed
    options.bin = os.path.abspath(options.bin)
    scratch = tempfile.mkdtemp(prefix="postern-bench.", dir=options.directory)
    try:
        bench = Bench(options, scratch)
        for cache in options.cache.split(","):
            if "waiting" in options.only:
                bench.waiting(cache == "cold")
            if "due" in options.only:
                bench.busy("due", cache == "cold", -60)
            if "untried" in options.only:
                bench.busy("untried", cache == "cold", None)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return 0 if bench.fine else 1


if __name__ == "__main__":
    sys.exit(main())
