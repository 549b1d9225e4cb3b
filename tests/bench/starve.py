#!/usr/bin/python3
"""Does taking mail in starve its delivery, or delivery the taking in? starve.py BUILD/BIN [--messages N] [--runs N]

One instance, smtp-source and smtp-sink on loopback, messages of 4 KiB to one host, 20 sessions, connections kept:

  injection alone   N messages are taken while postern-send is down
  delivery alone    these N are delivered while nothing comes in
  both              N messages wait; postern-send is started and N more are sent to it at the same moment; both rates until the
                    first of the two is through

Printed are the rates, each as a share of that alone, and the sum of the shares: 1.0 and more means that the machine's time is
shared out and none of it lost; a share near 0 that one starves the other. Medians of the runs. Ends with 1 when a message was
lost or doubled, or a share is below 0.2."""
import argparse
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import measure
import systems

LEAST_SHARE = 0.2
LIMIT_SECONDS = 300


class Bench:
    def __init__(self, options, system):
        self.options, self.system = options, system
        self.service = os.path.join(system.home, "service/send")

    def send_is(self, state):
        subprocess.run(["svc", "-d" if state == "down" else "-u", self.service], check=True)
        systems.wait_for("postern-send to be " + state, lambda: f": {state} " in subprocess.run(
            ["svstat", self.service], capture_output=True, text=True).stdout)

    def source(self):
        return subprocess.Popen(["smtp-source", "-d", "-s", "20", "-m", str(self.options.messages), "-l", "4096", "-M", "client.example",
                                 "-f", "sender@client.example", "-t", "someone@" + systems.SINK_DOMAIN,
                                 f"127.0.0.1:{self.system.port}"], stderr=subprocess.DEVNULL)

    def inject(self):
        start = time.monotonic()
        if self.source().wait(LIMIT_SECONDS) != 0:
            raise SystemExit("smtp-source failed")
        return self.options.messages / (time.monotonic() - start)

    def drain(self, wanted):
        systems.wait_for("the messages in the sink", lambda: self.system.sink.count(wanted) >= wanted, LIMIT_SECONDS)

    def alone(self):
        self.send_is("down")
        injection = self.inject()
        self.system.sink.begin()
        start = time.monotonic()
        self.send_is("up")
        self.drain(self.options.messages)
        return injection, self.options.messages / (time.monotonic() - start)

    def both(self):
        messages = self.options.messages
        self.send_is("down")
        self.inject()
        self.system.sink.begin()
        start = time.monotonic()
        source = self.source()
        self.send_is("up")
        # The rate of each while the other goes on too: what was taken is what smtp-source is through with, when it ends.
        while source.poll() is None and self.system.sink.count(messages) < messages:
            time.sleep(0.005)
        at = time.monotonic() - start
        delivered = self.system.sink.count(messages)
        taken = messages if source.poll() is not None else delivered + self.queued() - messages
        source.wait(LIMIT_SECONDS)
        self.drain(2 * messages)
        fault = self.system.sink.fault(2 * messages)
        if fault:
            raise SystemExit(fault)
        return taken / at, delivered / at

    def queued(self):
        return sum(len(files) for where in ("new", "cur") for _, _, files in os.walk(os.path.join(self.system.home, "queue", where)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin")
    parser.add_argument("--messages", type=int, default=5000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--directory", default=os.environ.get("BENCH_DIR", "/var/tmp"))
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    options.av, options.clamdb = False, None
    systems.check_tools([systems.Postern])
    measure.adopt_orphans()
    scratch = tempfile.mkdtemp(prefix="postern-bench.", dir=options.directory)
    os.chmod(scratch, 0o755)
    try:
        options.bin = systems.copy_programs(options.bin, scratch)
        with systems.Postern(os.path.join(scratch, "postern"), options, 1) as system:
            bench = Bench(options, system)
            runs = [bench.alone() + bench.both() for _ in range(options.runs)]
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    injection, delivery, injection_both, delivery_both = (statistics.median(run[i] for run in runs) for i in range(4))
    shares = injection_both / injection, delivery_both / delivery
    print(f"starve injection alone {injection:.1f} with delivery {injection_both:.1f} share {shares[0]:.2f}; delivery alone "
          f"{delivery:.1f} with injection {delivery_both:.1f} share {shares[1]:.2f}; sum of shares {sum(shares):.2f}; messages/s, "
          f"{options.messages} messages, {options.runs} runs", flush=True)
    return 0 if min(shares) >= LEAST_SHARE else 1


if __name__ == "__main__":
    sys.exit(main())
