#!/usr/bin/python3
"""Do dead, slow and limited destinations hold up the others? scale.py BUILD/BIN [--messages N] [--destinations N] [--places N]
[--restart N]

postern-send and postern-rspawn on loopback; N messages of 2 KiB (default 20,000) to N destinations (default 2,000), of which a tenth is
dead (half refuse connections, half take them and say nothing: timeoutgreeting is 2 s), a tenth slow (a second for each message), and a
tenth limited (2 recipients an hour), with 500 places (concurrencyremote). Once the live ones' messages are alone in the queue, once all are there.

The full size: --messages 100000 --destinations 10000 --restart 1000000 --directory /dev/shm; on a disk, making and removing so many files is
what is measured.

Printed are the rates at which the live ones' messages leave (until 98 of 100 have: on a busy machine some meet the time limit meant for the dead) and their ratio, the most memory that postern-send held for a queued
message, over that of an empty queue, and its CPU time. With --restart N: seconds until N messages that were tried before are scheduled
after a start. Ends with 1 when the ratio is below 0.8, a message costs more than 1 KB, or the restart takes more than 30 s."""
import argparse
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
import restart

LEAST_RATIO = 0.8
LIMIT_BYTES = 1024
LIMIT_RESTART = 30
LIMIT_SECONDS = 900
KINDS = ("refused", "hole", "slow", "limited", "live")


def kind_of(number):
    """Of ten destinations in a row one is dead, one slow, one limited; of the dead every other one refuses."""
    rest = number % 10
    return ("refused" if number // 10 % 2 else "hole") if rest == 3 else {5: "slow", 7: "limited"}.get(rest, "live")


def domain_of(number):
    return f"d{number}.{kind_of(number)}.example"


class Hole(threading.Thread):
    """Takes connections and says nothing."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.listening = socket.create_server(("", port), backlog=1000)
        self.held = []

    def run(self):
        while True:
            self.held.append(self.listening.accept()[0])
            if len(self.held) > 500:
                self.held.pop(0).close()


def free_port():
    with socket.create_server(("", 0)) as probe:
        return probe.getsockname()[1]


class Bench:
    def __init__(self, options, scratch):
        self.options = options
        self.home = os.path.join(scratch, "home")
        os.makedirs(self.home + "/run")
        os.makedirs(self.home + "/control")
        ports = {kind: free_port() for kind in KINDS}
        # An address for each, so that no two share a connection.
        routes = [f"{domain_of(number)}:127.1.{number // 250}.{number % 250 + 1}:{ports[kind_of(number)]}" for number in range(options.destinations)]
        settings = {"me": "mx.example", "locals": "local.example", "doublebounceto": "#", "timeoutgreeting": "2",
                    "concurrencyremote": str(options.places), "dnsq": "/bin/false",
                    "destinations": ".limited.example recipient_limit=2 recipient_minutes=60",
                    "smtproutes": "\n".join(routes)}
        for name, value in settings.items():
            with open(f"{self.home}/control/{name}", "w") as file:
                file.write(value + "\n")
        self.processes = []
        Hole(ports["hole"]).start()
        for kind, more in (("live", []), ("limited", []), ("slow", ["-w", "1"])):
            user = ["-u", "nobody"] if os.getuid() == 0 else []
            self.start(["smtp-sink", "-m", "5000", *user, *more, f":{ports[kind]}", "1000"])
        self.environment = dict(os.environ, POSTERN_HOME=self.home)
        self.log = os.path.join(scratch, "send.log")

    def start(self, command, **more):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, **{"stderr": subprocess.DEVNULL, **more})
        self.processes.append(process)
        return process

    def stop(self, process):
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self.processes.remove(process)

    def empty_queue(self):
        shutil.rmtree(self.home + "/queue", ignore_errors=True)
        for place in ("tmp", "new", "cur", "defer"):
            for part in range(fill_queue.SPLIT):
                os.makedirs(f"{self.home}/queue/{place}/{part}")

    def fill(self, only_live):
        """The first number, and how many messages go to live destinations."""
        self.empty_queue()
        born = int(time.time()) - 600
        first = (born * 1000000) << 12
        live = 0
        header = b"From: <sender@client.example>\nSubject: waiting\n\n"
        message = header + b"x" * (2048 - len(header) - 1) + b"\n"
        for number in range(self.options.messages):
            destination = number % self.options.destinations
            kind = kind_of(destination)
            live += kind == "live"
            if only_live and kind != "live":
                continue
            mid = first + number * 4096
            fill_queue.write(f"{self.home}/queue/cur/{mid % fill_queue.SPLIT}/{mid}", fill_queue.queue_file(
                message, "sender@client.example", [f"user@{domain_of(destination)}"], born * 1000000))
        subprocess.run(["sync"], check=False)
        return first, live

    def live_done(self, first, log, rest):
        """How many lines say that a live message is done, in what was not read before; what is no whole line yet."""
        lines = (rest + log.read()).split("\n")
        done = 0
        for line in lines[:-1]:
            if line.startswith("Info: Message finished MID "):
                number = (int(line.split()[4]) - first) // 4096
                done += kind_of(number % self.options.destinations) == "live"
        return done, lines[-1]

    def run(self, only_live):
        first, live = self.fill(only_live)
        rspawn = self.start([self.options.bin + "/postern-bind", "rspawn", "root", self.options.bin + "/postern-rspawn", "--serve"],
                            env=self.environment)
        while not os.path.exists(self.home + "/run/rspawn"):
            time.sleep(0.01)
        with open(self.log, "w") as log:
            start = time.monotonic()
            send = self.start([self.options.bin + "/postern-send"], env=self.environment, stderr=log)
        done, rest, memory = 0, "", 0
        with open(self.log) as log:
            while done < live * 0.98:
                if time.monotonic() - start > LIMIT_SECONDS:
                    raise SystemExit(f"{done} of {live} messages in {LIMIT_SECONDS} s")
                time.sleep(0.1)
                more, rest = self.live_done(first, log, rest)
                done += more
                memory = max(memory, restart.private_bytes(send.pid))
                if self.options.verbose and more:
                    print(f"  {time.monotonic() - start:.1f} s: {done}", file=sys.stderr)
        took = time.monotonic() - start
        cpu = restart.cpu_seconds(send.pid)
        self.stop(send)
        self.stop(rspawn)
        os.unlink(self.home + "/run/rspawn")
        return done / took, memory, cpu

    def idle(self):
        """Memory without a queue."""
        self.empty_queue()
        send = self.start([self.options.bin + "/postern-send"], env=self.environment)
        time.sleep(1)
        memory = restart.private_bytes(send.pid)
        self.stop(send)
        return memory

    def restart(self):
        self.empty_queue()
        fill_queue.fill(self.home, self.options.restart, next_in=600, spread=2900)
        start = time.monotonic()
        send = self.start([self.options.bin + "/postern-send"], env=self.environment)
        quiet = restart.wait_until_quiet(send.pid) - start
        memory = restart.private_bytes(send.pid)
        self.stop(send)
        return quiet, memory


def measure(bench, options):
    idle = bench.idle()
    alone, _, cpu_alone = bench.run(True)
    among, memory, cpu = bench.run(False)
    each = (memory - idle) / options.messages
    print(f"scale {options.messages} messages to {options.destinations} destinations, {options.places} places: live alone {alone:.0f}/s "
          f"({cpu_alone:.1f} s CPU of send), among dead, slow and limited {among:.0f}/s ({cpu:.1f} s), ratio {among / alone:.2f}; "
          f"{each:.0f} bytes/message", flush=True)
    fine = among / alone >= LEAST_RATIO and each <= LIMIT_BYTES
    if options.restart:
        seconds, memory = bench.restart()
        each = (memory - idle) / options.restart
        print(f"scale {options.restart} messages scheduled {seconds:.1f} s after a restart, {each:.0f} bytes/message", flush=True)
        fine = fine and seconds <= LIMIT_RESTART and each <= LIMIT_BYTES
    return fine


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin")
    parser.add_argument("--messages", type=int, default=20000)
    parser.add_argument("--destinations", type=int, default=2000)
    parser.add_argument("--places", type=int, default=500)
    parser.add_argument("--restart", type=int, default=0)
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--directory", default=os.environ.get("BENCH_DIR", "/var/tmp"))
    options = parser.parse_args()
    options.bin = os.path.abspath(options.bin)
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    scratch = tempfile.mkdtemp(prefix="postern-bench.", dir=options.directory)
    bench = Bench(options, scratch)
    try:
        return 0 if measure(bench, options) else 1
    finally:
        for process in list(bench.processes):
            bench.stop(process)
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
