"""Postern beside Postfix: how much mail a second, at what cost.

  W1  relay 5,000 messages of 4 KiB to one host, 20 sessions, one message a connection
  W2  the same, each session keeping its connection
  W3  5,000 messages of 4 KiB into 50 Maildirs, 20 sessions, one message a connection
  W4  relay 200 messages of 10 MiB of text, connections kept: MiB/s, CPU seconds a GiB
  W4a the same with an attachment of that size
  W5  relay 200 messages of 4 KiB to 50 recipients of one domain each: recipients/s
  W6  accept 20,000 messages of 2 KiB while the next host is down: messages/s of the last tenth (W6in); then the
      host comes up, the queue is flushed, and all must arrive: messages/s of that (W6out)
  W7  as W2, to a host that offers STARTTLS: both use it as it comes (Postfix with smtp_tls_security_level=may), and both may
      keep their connections (Postfix with smtp_tls_connection_reuse=yes, the faster of its two ways)

Load: smtp-source, sink: smtp-sink, both of Debian's postfix package; the sink of W7 is tls_sink.cc. Both systems stand ready all the time with their
state on the same file system, take turns, and each number is the median of its runs.

  time     from the start of smtp-source to the last message in the sink, or the last file in a Maildir (its ctime)
  cpu      of the whole machine (/proc/stat: user, nice, system, irq, softirq; so the file system's own threads count), less
           what smtp-source, smtp-sink and this program used. The machine should have nothing else to do.
  memory   the highest sum of the PSS of all processes of the system, looked at every half second (median of the runs)
  fsyncs   system calls fsync, fdatasync, sync, syncfs and sync_file_range, counted by strace in a short run of its own

A run counts only when exactly as many messages arrived as were sent, each once (W5: and the system's own log says that
as many recipients were delivered); else the line says so and we end with 1.
With --av the default control/stages with a database of one signature stands beside Postfix with Debian's clamav-milter and clamd
(the same database; their CPU and memory count as Postfix's), and Postern without the stage and libclamav called directly are
measured in the same run: what the stage adds is printed on a line of its own. W4 and W4a then send a fifth as many messages.

With --checks an instance that checks its clients (checks.py) stands beside the plain one, and what that costs is a line of its own.

The first line of each workload goes to standard output, what else there is to know to standard error."""

import argparse
import dataclasses
import os
import shutil
import statistics
import sys
import tempfile

import checks
import clamav
import mails
import measure
import systems

USERS = 50
SESSIONS = 20
LIMIT_SECONDS = 180
MIB = 1048576


def say(text):
    print(text, file=sys.stderr, flush=True)


@dataclasses.dataclass
class Workload:
    name: str
    messages: int
    size: int = 4096
    kind: str = "text"
    recipients: int = 1
    keep_connections: bool = False
    to_maildirs: bool = False
    outage: bool = False
    tls: bool = False
    unit: str = "messages/s"
    per_message: float = 1.0  # units
    cpu_unit: str = "ms/message"
    cpu_factor: float = 1.0  # of ms/message
    traced: int = 200        # messages in the run that counts fsyncs

    file: str = ""           # what smtp-source sends

    def source(self, system, sessions, messages, recipient):
        keep = ["-d"] if self.keep_connections else []
        several = ["-r", str(self.recipients)] if self.recipients > 1 else []
        return ["smtp-source", *keep, *several, "-s", str(sessions), "-m", str(messages), "-F", self.file, "-M",
                "client.example", "-f", "sender@client.example", "-t", recipient, f"127.0.0.1:{system.port}"]

    def commands(self, system, count):
        """Lists of smtp-source commands: the lists run side by side, each list's commands one after the other."""
        if not self.to_maildirs:
            return [[self.source(system, SESSIONS, count, "someone@" + (systems.TLS_DOMAIN if self.tls else systems.SINK_DOMAIN))]]
        # smtp-source knows one recipient: ten at a time with two sessions each, until all users have had theirs.
        lanes = [[] for _ in range(SESSIONS // 2)]
        for user in range(USERS):
            lanes[user % len(lanes)].append(
                self.source(system, 2, count // USERS, f"u{user + 1}@{systems.LOCAL_DOMAIN}"))
        return lanes


def workloads(small, scanning):
    return [
        Workload("W1", small),
        Workload("W2", small, keep_connections=True),
        Workload("W3", small, to_maildirs=True),
        Workload("W4", max(20, small // (125 if scanning else 25)), size=10 * MIB, keep_connections=True, unit="MiB/s", per_message=10,
                 cpu_unit="s/GiB", cpu_factor=102.4 / 1000, traced=20),
        Workload("W4a", max(20, small // (125 if scanning else 25)), size=10 * MIB, kind="attachment", keep_connections=True,
                 unit="MiB/s", per_message=10, cpu_unit="s/GiB", cpu_factor=102.4 / 1000, traced=20),
        Workload("W5", max(20, small // 25), recipients=50, keep_connections=True, unit="recipients/s", per_message=50,
                 cpu_unit="ms/recipient", cpu_factor=1 / 50, traced=50),
        Workload("W6", small * 4, size=2048, outage=True),
        Workload("W7", small, keep_connections=True, tls=True),
    ]


def one_run(system, workload, count, sample=True):
    if workload.to_maildirs:
        system.empty_maildirs()
    arrivals = system.maildirs() if workload.to_maildirs else system.tls_sink if workload.tls else system.sink
    kind = measure.OutageRun if workload.outage else measure.Run
    run = kind(system, arrivals, workload, count, LIMIT_SECONDS, sample)
    run.go()
    return run


def median(runs, what):
    return statistics.median(getattr(run, what) for run in runs)


def line_of(name, workload, results, attribute):
    rate = {system: median(runs, attribute) * workload.per_message for system, runs in results.items()}
    line = f"{name} {workload.unit}" + "".join(f" {system} {rate[system]:.1f}" for system in results)
    others = [system for system in results if system.startswith("postfix")]
    if others:
        line += f" ratio {rate['postern'] / rate[others[0]]:.2f}" if rate[others[0]] else " ratio ?"
    return line


def report(workload, options, results, fsyncs, direct):
    name = workload.name + ("+av" if options.av else "")
    if workload.outage:
        line = line_of(name + "in", workload, results, "rate") + "; " + line_of(name + "out", workload, results, "drain_rate")
    else:
        line = line_of(name, workload, results, "rate")
    for what, attribute, form, factor in ((f"cpu {workload.cpu_unit}", "cpu_ms", ".3g", workload.cpu_factor),
                                          ("peak memory MiB", "peak_mib", ".1f", 1)):
        line += f"; {what}" + "".join(f" {system} {median(runs, attribute) * factor:{form}}" for system, runs in results.items())
    if fsyncs:
        line += "; fsyncs/message" + "".join(f" {system} {count}" for system, count in fsyncs.items())
    lost = [f"{system} {run.fault}" for system, runs in results.items() for run in runs if run.fault]
    if lost:
        line += "; FAILED: " + ", ".join(lost)
    print(line, flush=True)
    if clamav.PosternWithout.name in results and not lost:
        print(clamav.stage_line(workload, results, direct), flush=True)
    if checks.PosternChecking.name in results and not lost:
        print(checks.line(workload, results), flush=True)
    for system, runs in results.items():
        say(f"  {system}: runs " + " ".join(f"{run.rate * workload.per_message:.1f}" for run in runs) +
            "; CPU ms/message by program: " + measure.by_program(runs))
    return not lost


def count_fsyncs(options, workload, make, scratch, users):
    """Both systems again, under strace, with few messages."""
    counted = {}
    for system_class in [each for each in make if each not in (clamav.PosternWithout, checks.PosternChecking)]:
        directory = os.path.join(scratch, "traced-" + workload.name + "-" + system_class.name)
        trace = directory + ".trace"
        with system_class(directory, options, users, trace) as system:
            one_run(system, workload, users if workload.to_maildirs else 10, sample=False)
            before = measure.count_syncs(trace)
            run = one_run(system, workload, workload.traced, sample=False)
            counted[system.name] = f"{(measure.count_syncs(trace) - before) / workload.traced:.2f}" if not run.fault else "?"
        shutil.rmtree(directory, ignore_errors=True)
    return counted


def measure_workload(workload, options, running, make, scratch, direct):
    warm_up = dataclasses.replace(workload, outage=False)
    for system in running:
        one_run(system, warm_up, USERS if workload.to_maildirs else 20, sample=False)  # everything started once
    results = {system.name: [] for system in running}
    for number in range(options.runs):
        for system in running:
            run = one_run(system, workload, workload.messages)
            results[system.name].append(run)
            say(f"{workload.name} run {number + 1} {system.name}: {run.rate * workload.per_message:.1f} {workload.unit} {run.fault}")
            if run.fault:
                say(system.tail_of_logs())
        if direct:
            direct.measure(workload.file, 400 if workload.size < MIB else 3)
    count = not options.no_strace and not workload.outage
    fsyncs = count_fsyncs(options, workload, make, scratch, USERS) if count else {}
    return report(workload, options, results, fsyncs, direct)


def main():
    parser = argparse.ArgumentParser(prog="run.sh")
    parser.add_argument("bin", help="directory of the built programs")
    parser.add_argument("--av", action="store_true", help="with the antivirus stage of the default control/stages")
    parser.add_argument("--checks", choices=["list", "reputation"], help="beside an instance with a HAT of 1,000 entries, rates and a DNS list")
    parser.add_argument("--clamdb", help="signatures for --av; default: one signature of our own")
    parser.add_argument("--scan-directly", help="the program scan_directly; with --av")
    parser.add_argument("--tls-sink", help="the program tls_sink; without it W7 is left out")
    parser.add_argument("--only", default="W1,W2,W3,W4,W4a,W5,W6,W7")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--messages", type=int, default=5000,
                        help="of W1 to W3; W4, W4a and W5 send a twenty-fifth of it (W4 and W4a with --av: a hundred and twenty-fifth), W6 four "
                             "times as many")
    parser.add_argument("--no-strace", action="store_true")
    parser.add_argument("--no-postfix", action="store_true")
    parser.add_argument("--directory", default=os.environ.get("BENCH_DIR", "/var/tmp"),
                        help="where both keep their state; must be a disk")
    options = parser.parse_args()
    options.messages -= options.messages % USERS
    make = [systems.Postern]
    if os.getuid() == 0 and not options.no_postfix:
        make.append(clamav.PostfixClamav if options.av else systems.Postfix)
    elif not options.no_postfix:
        say("Postfix can only be run by root: measuring Postern alone")
    if options.av:
        clamav.check_tools(len(make) > 1)
        make.append(clamav.PosternWithout)
    if options.checks:
        checks.check_tools()
        make.append(checks.PosternChecking)
    scratch = tempfile.mkdtemp(prefix="postern-bench.", dir=options.directory)
    os.chmod(scratch, 0o755)
    systems.check_tools(make)
    measure.adopt_orphans()
    say(f"state on {measure.file_system(scratch)}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.2f}")
    fine = True
    try:
        options.bin = systems.copy_programs(options.bin, scratch)
        running = []
        direct = options.av and options.scan_directly and clamav.DirectScans(options.scan_directly, scratch, options.clamdb)
        try:
            for system_class in make:
                running.append(system_class(os.path.join(scratch, system_class.name), options, USERS))
                running[-1].start()
            if options.av:
                clamav.check_that_both_scan(running)
            files = mails.Mails(scratch)
            for workload in workloads(options.messages, options.av):
                if workload.tls and not options.tls_sink:
                    continue
                if workload.name in options.only.split(","):
                    workload.file = files.file(workload.kind, workload.size)
                    fine = measure_workload(workload, options, running, make, scratch, direct) and fine
            for system in running:
                if isinstance(system, checks.PosternChecking):
                    system.check()
        finally:
            for system in running:
                system.stop()
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
