"""One measured run: sends, waits for the arrivals, and reads what it cost from /proc."""

import ctypes
import glob
import os
import re
import subprocess
import threading
import time

TICK = os.sysconf("SC_CLK_TCK")
SYNCS = re.compile(rb"\b(fsync|fdatasync|sync|syncfs|sync_file_range)\(")


def adopt_orphans():
    """What the two systems leave behind becomes our child, and is reaped, whatever this machine's init does."""
    ctypes.CDLL(None, use_errno=True).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def reap_orphans():
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def machine_cpu_seconds():
    fields = [int(field) for field in open("/proc/stat").readline().split()[1:]]
    user, nice, system, _idle, _iowait, irq, softirq = fields[:7]
    return (user + nice + system + irq + softirq) / TICK


def stat_of(pid):
    """(name, parent, own CPU seconds, CPU seconds of ended children), nothing when it is gone."""
    try:
        text = open(f"/proc/{pid}/stat").read()
    except OSError:
        return None
    name, rest = text[text.index("(") + 1:text.rindex(")")], text[text.rindex(")") + 2:].split()
    own = (int(rest[11]) + int(rest[12])) / TICK
    try:
        # The same in nanoseconds, but of the first thread alone: many processes with little work each lose much to the rounding of
        # ticks; one with many threads has them all in the ticks.
        own = max(own, int(open(f"/proc/{pid}/schedstat").read().split()[0]) / 1e9)
    except (OSError, ValueError, IndexError):
        pass
    return name, int(rest[1]), own, (int(rest[13]) + int(rest[14])) / TICK


def tree_of(roots):
    """All processes below `roots`, and those themselves: {pid: stat}."""
    everyone = {int(pid): stat_of(pid) for pid in os.listdir("/proc") if pid.isdigit()}
    children = {}
    for pid, stat in everyone.items():
        if stat:
            children.setdefault(stat[1], []).append(pid)
    found, todo = {}, list(roots)
    while todo:
        pid = todo.pop()
        if everyone.get(pid):
            found[pid] = everyone[pid]
            todo += children.get(pid, [])
    return found


def pss_bytes(pids):
    total = 0
    for pid in pids:
        try:
            for line in open(f"/proc/{pid}/smaps_rollup"):
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
                    break
        except OSError:
            pass  # it has ended
    return total


def count_syncs(trace):
    return sum(len(SYNCS.findall(open(name, "rb").read())) for name in glob.glob(trace + "*"))


def file_system(path):
    best = ("", "?")
    for line in open("/proc/mounts"):
        _device, point, kind = line.split()[:3]
        if os.path.realpath(path).startswith(point.rstrip("/") + "/") and len(point) >= len(best[0]):
            best = (point, kind)
    return best[1]


def by_program(runs):
    names = {}
    for run in runs:
        for name, cpu in run.programs.items():
            names.setdefault(name, []).append(cpu * 1000 / run.count)
    averages = sorted(((sum(values) / len(runs), name) for name, values in names.items()), reverse=True)
    return ", ".join(f"{name} {value:.2f}" for value, name in averages if value >= 0.005)


class Sampler(threading.Thread):
    """Looks at the memory of a system while a run lasts."""

    def __init__(self, roots):
        super().__init__(daemon=True)
        self.roots, self.peak, self.done = roots, 0, threading.Event()

    def run(self):
        while True:
            self.peak = max(self.peak, pss_bytes(tree_of(self.roots)))
            if self.done.wait(0.5):
                return


class Run:
    """From the first message that smtp-source sends to the last one that arrives."""

    def __init__(self, system, arrivals, workload, count, limit_seconds, sample):
        self.system, self.arrivals, self.workload, self.count = system, arrivals, workload, count
        self.limit, self.sample = limit_seconds, sample
        self.fault, self.rate, self.cpu_ms, self.peak_mib, self.programs = "", 0.0, 0.0, 0.0, {}
        self.source_cpu = 0.0
        self.errors = []

    def _lane(self, commands):
        for command in commands:
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            timer = threading.Timer(self.limit, process.kill)
            timer.start()
            error = process.stderr.read()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            timer.cancel()
            self.source_cpu += usage.ru_utime + usage.ru_stime
            if process.returncode != 0:
                self.errors.append(error.decode(errors="replace").strip()[-200:] or f"smtp-source: {process.returncode}")
                return

    def go(self):
        os.sync()
        self.arrivals.begin()
        before = tree_of(self.system.roots)
        delivered = self.system.delivered_recipients() if self.workload.recipients > 1 else 0
        sampler = Sampler(self.system.roots)
        if self.sample:
            sampler.start()
        cpu, own, sinks = machine_cpu_seconds(), sum(os.times()[:2]), self._sinks_cpu()
        self.transfer()
        cpu_end = machine_cpu_seconds()
        sampler.done.set()
        used = cpu_end - cpu - (sum(os.times()[:2]) - own) - (self._sinks_cpu() - sinks) - self.source_cpu
        self.peak_mib = sampler.peak / 1048576
        self.cpu_ms = used * 1000 / self.count
        self._programs(before)
        self._check(delivered)

    def _sinks_cpu(self):
        return sum(sink.cpu_seconds() for sink in self.system.sinks)

    def transfer(self):
        """Sets the rate, messages a second."""
        begun = time.time()
        threads = [threading.Thread(target=self._lane, args=(commands,))
                   for commands in self.workload.commands(self.system, self.count)]
        for thread in threads:
            thread.start()
        self._await_arrivals(begun)
        for thread in threads:
            thread.join()
        self.rate = self._rate_since(begun)

    def _await_arrivals(self, begun):
        while self.arrivals.count(self.count) < self.count and time.time() - begun < self.limit and not self.errors:
            time.sleep(self.arrivals.pause)

    def _rate_since(self, begun):
        ended = self.arrivals.last()
        return self.count / (ended - begun) if ended > begun else 0.0

    def _programs(self, before):
        after = tree_of(self.system.roots)

        def add(name, cpu):
            self.programs[name] = self.programs.get(name, 0.0) + cpu
        for pid, (name, _parent, own, ended) in after.items():
            old = before.get(pid, (name, 0, 0.0, 0.0))
            add(name, own - old[2])
            add(name + "'s children", ended - old[3])
        for pid, (_name, parent, own, ended) in before.items():
            if pid not in after and parent in after:
                # What it had used before this run came to its parent's account with its end.
                add(after[parent][0] + "'s children", -(own + ended))

    def _check(self, delivered_before):
        """Exactly what was sent, and nothing more afterwards."""
        self.system.wait_idle()
        self.fault = self.arrivals.fault(self.count)
        if self.workload.recipients > 1:
            wanted = self.count * self.workload.recipients
            delivered = self.system.delivered_recipients() - delivered_before
            if delivered != wanted:
                self.fault += f" {delivered} of {wanted} recipients were delivered by the system's log"
        if self.errors:
            self.fault = (self.fault + " " + self.errors[0]).strip()
        if self.fault:
            self.rate = 0.0


class OutageRun(Run):
    """The next host is down while all is sent; then it comes up. `rate` is that of the last tenth's acceptance."""
    drain_rate = 0.0

    def transfer(self):
        self.system.sink.stop()
        last_tenth = self.count // 10
        self._lane(self.workload.commands(self.system, self.count - last_tenth)[0])
        begun = time.time()
        self._lane(self.workload.commands(self.system, last_tenth)[0])
        self.rate = last_tenth / (time.time() - begun)
        self.system.sink.start()
        begun = time.time()
        self.system.flush()
        self._await_arrivals(begun)
        self.drain_rate = self._rate_since(begun)
