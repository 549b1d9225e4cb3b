"""Postern beside Postfix: how many messages a second, at what cost.

  W1  relay 5,000 messages of 4 KiB to one host, 20 sessions, one message a connection
  W2  the same, each session keeping its connection
  W3  5,000 messages of 4 KiB into 50 Maildirs, 20 sessions, one message a connection

Load: smtp-source, sink: smtp-sink, both of Debian's postfix package. Both systems stand ready all the time with their
state on the same file system, take turns, and each number is the median of its runs.

  time     from the start of smtp-source to the last message in the sink, or the last file in a Maildir (its ctime)
  cpu      of the whole machine (/proc/stat: user, nice, system, irq, softirq; so the file system's own threads count), less
           what smtp-source, smtp-sink and this program used. The machine should have nothing else to do.
  memory   the highest sum of the PSS of all processes of the system, looked at every half second (median of the runs)
  fsyncs   system calls fsync, fdatasync, sync, syncfs and sync_file_range, counted by strace in a short run of its own

A run counts only when exactly as many messages arrived as were sent, each once; else the line says so and we end with 1.
The first line of each workload goes to standard output, what else there is to know to standard error."""

import argparse
import os
import shutil
import statistics
import sys
import tempfile

import measure
import systems

USERS = 50
SESSIONS = 20
SIZE = 4096
LIMIT_SECONDS = 120


def say(text):
    print(text, file=sys.stderr, flush=True)


class Workload:
    def __init__(self, name, to_maildirs, keep_connections):
        self.name = name
        self.to_maildirs = to_maildirs
        self.keep = ["-d"] if keep_connections else []

    def commands(self, system, count):
        """Lists of smtp-source commands: the lists run side by side, each list's commands one after the other."""
        def source(sessions, messages, recipient):
            return ["smtp-source", *self.keep, "-s", str(sessions), "-m", str(messages), "-l", str(SIZE), "-M",
                    "client.example", "-f", "sender@client.example", "-t", recipient, f"127.0.0.1:{system.port}"]
        if not self.to_maildirs:
            return [[source(SESSIONS, count, "someone@" + systems.SINK_DOMAIN)]]
        # smtp-source knows one recipient: ten at a time with two sessions each, until all users have had theirs.
        lanes = [[] for _ in range(SESSIONS // 2)]
        for user in range(USERS):
            lanes[user % len(lanes)].append(source(2, count // USERS, f"u{user + 1}@{systems.LOCAL_DOMAIN}"))
        return lanes


WORKLOADS = [Workload("W1", False, False), Workload("W2", False, True), Workload("W3", True, False)]


def one_run(system, workload, count, sample=True):
    if workload.to_maildirs:
        system.empty_maildirs()
    arrivals = system.maildirs() if workload.to_maildirs else system.sink
    run = measure.Run(system, arrivals, workload.commands(system, count), count, LIMIT_SECONDS, sample)
    run.go()
    return run


def median(runs, what):
    return statistics.median(getattr(run, what) for run in runs)


def report(workload, options, results, fsyncs):
    name = workload.name + ("+av" if options.av else "")
    pairs = {system: results[system] for system in results if results[system]}
    rate = {system: median(runs, "rate") for system, runs in pairs.items()}
    line = name + "".join(f" {system} {rate[system]:.1f}" for system in pairs)
    if len(rate) == 2:
        line += f" ratio {rate['postern'] / rate['postfix']:.2f}" if rate["postfix"] else " ratio ?"
    for what, attribute, form in (("cpu ms/message", "cpu_ms", ".2f"), ("peak memory MiB", "peak_mib", ".1f")):
        line += f"; {what}" + "".join(f" {system} {median(runs, attribute):{form}}" for system, runs in pairs.items())
    line += "; fsyncs/message" + "".join(f" {system} {fsyncs.get(system, '?')}" for system in pairs)
    lost = [f"{system} {run.fault}" for system, runs in pairs.items() for run in runs if run.fault]
    if lost:
        line += "; FAILED: " + ", ".join(lost)
    print(line, flush=True)
    for system, runs in pairs.items():
        say(f"  {system}: runs " + " ".join(f"{run.rate:.1f}" for run in runs) + "; CPU ms/message by program: " +
            measure.by_program(runs))
    return not lost


def count_fsyncs(options, workload, make, scratch, users):
    """Both systems again, under strace, with few messages."""
    count = max(200, users)
    counted = {}
    for system_class in make:
        directory = os.path.join(scratch, "traced-" + workload.name + "-" + system_class.name)
        trace = directory + ".trace"
        with system_class(directory, options, users, trace) as system:
            one_run(system, workload, 50, sample=False)
            before = measure.count_syncs(trace)
            run = one_run(system, workload, count, sample=False)
            counted[system.name] = f"{(measure.count_syncs(trace) - before) / count:.2f}" if not run.fault else "?"
        shutil.rmtree(directory, ignore_errors=True)
    return counted


def main():
    parser = argparse.ArgumentParser(prog="run.sh")
    parser.add_argument("bin", help="directory of the built programs")
    parser.add_argument("--av", action="store_true", help="with the antivirus stage of the default control/stages")
    parser.add_argument("--clamdb", help="signatures for --av; default: one signature of our own")
    parser.add_argument("--only", default="W1,W2,W3")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--messages", type=int, default=5000)
    parser.add_argument("--no-strace", action="store_true")
    parser.add_argument("--no-postfix", action="store_true")
    parser.add_argument("--directory", default=os.environ.get("BENCH_DIR", "/var/tmp"),
                        help="where both keep their state; must be a disk")
    options = parser.parse_args()
    options.messages -= options.messages % USERS
    make = [systems.Postern]
    if os.getuid() == 0 and not options.no_postfix:
        make.append(systems.Postfix)
    elif not options.no_postfix:
        say("Postfix can only be run by root: measuring Postern alone")
    scratch = tempfile.mkdtemp(prefix="postern-bench.", dir=options.directory)
    os.chmod(scratch, 0o755)
    systems.check_tools(make)
    measure.adopt_orphans()
    say(f"state on {measure.file_system(scratch)}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.2f}")
    fine = True
    try:
        options.bin = systems.copy_programs(options.bin, scratch)
        running = []
        try:
            for system_class in make:
                running.append(system_class(os.path.join(scratch, system_class.name), options, USERS).start())
            for workload in WORKLOADS:
                if workload.name not in options.only.split(","):
                    continue
                for system in running:
                    one_run(system, workload, 100, sample=False)  # everything started once
                results = {system.name: [] for system in running}
                for number in range(options.runs):
                    for system in running:
                        run = one_run(system, workload, options.messages)
                        results[system.name].append(run)
                        say(f"{workload.name} run {number + 1} {system.name}: {run.rate:.1f}/s {run.fault}")
                        if run.fault:
                            say(system.tail_of_logs())
                fsyncs = {} if options.no_strace else count_fsyncs(options, workload, make, scratch, USERS)
                fine = report(workload, options, results, fsyncs) and fine
        finally:
            for system in running:
                system.stop()
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
