"""The two systems that are measured, each an instance of its own below one directory, and the sink that they relay to."""

import glob
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

import measure

SINK_DOMAIN = "sink.example"
TLS_DOMAIN = "tls.example"
LOCAL_DOMAIN = "local.example"
TRACE = ["strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=fsync,fdatasync,sync,syncfs,sync_file_range",
         "-e", "signal=none", "-o"]


def check_tools(make):
    needed = ["smtp-source", "smtp-sink", "svscan", "tcprules"] + (["postfix", "postmap"] if any(issubclass(each, Postfix) for each in make) else [])
    missing = [tool for tool in needed if not shutil.which(tool)]
    if missing:
        sys.exit("missing: " + " ".join(missing) + "; make deps installs them")


def copy_programs(bin_directory, scratch):
    """Where every user can read them: only root may be able to enter the checkout."""
    to = os.path.join(scratch, "bin")
    os.mkdir(to, 0o755)
    for program in glob.glob(os.path.join(bin_directory, "postern-*")):
        shutil.copy(program, to)
        os.chmod(os.path.join(to, os.path.basename(program)), 0o755)
    return to


def signatures(directory):
    """A database of one line, in a directory of its own below this one."""
    database = os.path.join(directory, "clamdb")
    os.mkdir(database, 0o755)
    with open(os.path.join(database, "bench.hdb"), "w") as file:
        file.write("aa15bcf478d165efd2065190eb473bcb:544:ClamAV-Test-File\n")
    return database


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what, test, seconds=30):
    end = time.monotonic() + seconds
    while not test():
        if time.monotonic() > end:
            raise SystemExit("waited too long for " + what)
        time.sleep(0.05)


def listening(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def end_process(process):
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Sink:
    """smtp-sink, and how many messages it has taken (its own counter, which it prints after each)."""
    pause = 0.005

    def __init__(self, directory):
        self.port = free_port()
        self.directory = directory
        self.output = os.path.join(directory, type(self).__name__ + ".count")
        self.ended_cpu = 0.0
        self.start()

    def command(self):
        as_user = ["-u", "nobody"] if os.getuid() == 0 else []
        return ["smtp-sink", "-c", *as_user, f"127.0.0.1:{self.port}", "1024"]

    def start(self):
        with open(self.output, "wb") as output:
            self.process = subprocess.Popen(self.command(), stdout=output, stderr=subprocess.DEVNULL)
        wait_for(self.command()[0], lambda: listening(self.port))
        self.base = 0
        self.seen_at = 0.0

    def stop(self):
        self.ended_cpu = self.cpu_seconds()
        end_process(self.process)

    def total(self):
        with open(self.output, "rb") as output:
            size = output.seek(0, 2)
            output.seek(max(0, size - 200))
            found = re.findall(rb"mesg=(\d+)", output.read())
        return int(found[-1]) if found else 0

    def begin(self):
        self.base = self.total()
        self.seen_at = 0.0

    def count(self, wanted):
        got = self.total() - self.base
        if got >= wanted and not self.seen_at:
            self.seen_at = time.time()
        return got

    def last(self):
        return self.seen_at

    def fault(self, wanted):
        got = self.total() - self.base
        return "" if got == wanted else f"{got} of {wanted} messages arrived in the sink"

    def cpu_seconds(self):
        stat = measure.stat_of(self.process.pid) if self.process.poll() is None else None
        return self.ended_cpu + (stat[2] if stat else 0.0)


class TlsSink(Sink):
    """tests/bench/tls_sink.cc with a certificate of its own."""

    def __init__(self, directory, program):
        self.program = program
        self.certificate = os.path.join(directory, "sink.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
                        "/CN=sink", "-keyout", self.certificate + ".key", "-out", self.certificate], check=True, stderr=subprocess.DEVNULL)
        with open(self.certificate, "a") as both, open(self.certificate + ".key") as key:
            both.write(key.read())
        super().__init__(directory)

    def command(self):
        return [self.program, str(self.port), self.certificate]


class Maildirs:
    """The new/ of every mailbox. The last arrival is told by the ctime of its file, so it may be looked for seldom."""
    pause = 0.05

    def __init__(self, directories):
        self.directories = directories

    def begin(self):
        self.open = set(self.directories)

    def files(self):
        return [entry for directory in self.directories for entry in os.scandir(directory)]

    def count(self, wanted):
        each = wanted // len(self.directories)
        self.open = {directory for directory in self.open if len(os.listdir(directory)) < each}
        return wanted if not self.open else 0

    def last(self):
        return max((entry.stat().st_ctime for entry in self.files()), default=0.0)

    def fault(self, wanted):
        ids = set()
        files = self.files()
        for entry in files:
            with open(entry.path, "rb") as file:
                found = re.search(rb"(?mi)^received:(?:[^\n]|\n[ \t])*?\sid ([^\s;]+)", file.read(2048))
            ids.add(found[1] if found else "none")  # the number that the system gave it
        if len(files) == wanted == len(ids):
            return ""
        return f"{len(files)} files with {len(ids)} different messages arrived of {wanted}"


class System:
    name = ""

    def __init__(self, directory, options, users, trace=None):
        self.directory, self.options, self.users, self.trace = directory, options, users, trace
        self.process = None
        self.beside = []  # what stands beside it: a virus scanner
        os.mkdir(directory, 0o755)
        self.port = free_port()
        self.sink = Sink(directory)
        self.tls_sink = TlsSink(directory, options.tls_sink) if getattr(options, "tls_sink", None) else None

    @property
    def sinks(self):
        return [sink for sink in (self.sink, self.tls_sink) if sink]

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def traced(self, command):
        return TRACE + [self.trace, *command] if self.trace else command

    def launch(self, command):
        self.process = self.spawn(self.traced(command))

    def launch_beside(self, command):
        self.beside.append(self.spawn(command))

    def spawn(self, command):
        with open(os.path.join(self.directory, "output"), "ab") as output:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=self.directory,
                                    start_new_session=True)

    @property
    def roots(self):
        return [process.pid for process in [self.process, *self.beside]]

    def maildirs(self):
        return Maildirs([f"{self.mail}/u{user + 1}/Maildir/new" for user in range(self.users)])

    def empty_maildirs(self):
        for directory in self.maildirs().directories:
            for entry in os.scandir(directory):
                os.unlink(entry.path)

    def wait_idle(self):
        try:
            wait_for(self.name + "'s queue to be empty", lambda: not self.queued())
        except SystemExit as error:
            print(error, file=sys.stderr)

    def stop(self):
        """All that descends from the process that we started, by number; then the sink."""
        if self.process:
            tree = measure.tree_of(self.roots)
            self.stop_gently()
            for process in self.beside:
                process.terminate()
            end = time.monotonic() + 10
            while time.monotonic() < end and any(self.alive(pid, stat) for pid, stat in tree.items()):
                time.sleep(0.05)
                self.process.poll()
            for pid, stat in tree.items():
                if self.alive(pid, stat):
                    os.kill(pid, signal.SIGKILL)
            for process in [self.process, *self.beside]:
                process.wait()
            self.process, self.beside = None, []
        else:
            for process in self.beside:
                end_process(process)
        for sink in self.sinks:
            sink.stop()
        measure.reap_orphans()

    @staticmethod
    def alive(pid, stat):
        """Still the process that it was (a number may be used again), and no zombie."""
        now = measure.stat_of(pid)
        if not now or now[0] != stat[0]:
            return False
        with open(f"/proc/{pid}/status") as status:
            return "State:\tZ" not in status.read()


class Postern(System):
    """An instance as postern-init makes it, run by svscan. Without --av its control/stages is empty and the antivirus
    resident stays down, so that both systems do the same work."""
    name = "postern"

    def __init__(self, directory, options, users, trace=None):
        super().__init__(directory, options, users, trace)
        self.home = os.path.join(directory, "home")
        self.mail = os.path.join(self.home, "mail")
        arguments = ["--me", "mx.example", "--listen", f"127.0.0.1:{self.port}", "--local", LOCAL_DOMAIN,
                     "--route", f"{SINK_DOMAIN}:127.0.0.1:{self.sink.port}"]
        if self.tls_sink:
            arguments += ["--route", f"{TLS_DOMAIN}:127.0.0.1:{self.tls_sink.port}"]
        for user in range(users):
            arguments += ["--user", f"u{user + 1}"]
        if options.av:
            arguments += ["--clamdb", options.clamdb or signatures(directory)]
        arguments += self.more_arguments()
        subprocess.run([self.program("postern-init"), self.home, *arguments], check=True, stderr=subprocess.DEVNULL)
        if not options.av:
            with open(os.path.join(self.home, "control/stages"), "w") as stages:
                stages.write("none\n")
            open(os.path.join(self.home, "service/antivirus/down"), "w").close()

    def more_arguments(self):
        return []

    def program(self, name):
        return os.path.join(self.options.bin, name)

    def start(self):
        self.launch(["svscan", os.path.join(self.home, "service")])
        environment = dict(os.environ, POSTERN_HOME=self.home)
        wait_for("Postern", lambda: listening(self.port), 60)
        expected = glob.glob(os.path.join(self.home, "service/*/run"))
        sockets = {os.path.basename(os.path.dirname(path)) for path in expected} - {"smtpd", "send", "workq", "setq", "keeper", "tlsreport"}
        if not self.options.av:
            sockets.discard("antivirus")
        wait_for("Postern's services", lambda: all(os.path.exists(os.path.join(self.home, "run", s)) for s in sockets), 60)
        wait_for("postern-showctl --ready", lambda: subprocess.run(
            [self.program("postern-showctl"), "--ready"], env=environment, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL).returncode == 0 or not self.options.av, 60)
        return self

    def queued(self):
        return any(files for where in ("new", "cur") for _, _, files in os.walk(os.path.join(self.home, "queue", where)))

    def flush(self):
        """What was put off is tried now."""
        subprocess.run(["svc", "-a", os.path.join(self.home, "service/send")], check=True)

    def delivered_recipients(self):
        delivered = 0
        for path in glob.glob(os.path.join(self.home, "log/rspawn/*")):
            with open(path, "rb") as log:
                delivered += sum(rids.count(b",") + 1 for rids in re.findall(rb"Message done DCID .* to RID \[(.*)\]", log.read()))
        return delivered

    def stop_gently(self):
        # svscan first, so that nothing is started anew; then supervise is told to end what it runs, and itself.
        for pid, stat in measure.tree_of(self.roots).items():
            if stat[0] == "svscan":
                os.kill(pid, signal.SIGTERM)
        services = glob.glob(os.path.join(self.home, "service/*")) + glob.glob(os.path.join(self.home, "service/*/log"))
        subprocess.run(["svc", "-dx", *services], stderr=subprocess.DEVNULL)

    def tail_of_logs(self):
        text = ""
        for path in sorted(glob.glob(os.path.join(self.home, "log/*/current"))):
            with open(path, errors="replace") as log:
                faults = [line for line in log if "Warning" in line or "Critical" in line]
            text += "".join(f"{path}: {line}" for line in faults[-5:])
        return text


class Postfix(System):
    """A private instance of Debian's Postfix: its master.cf with another port, and a main.cf that says where it lives and
    whom it serves; everything else as it comes. It logs to a file through its own postlogd, because a machine for
    benchmarks may have no syslog, and Postern's log is written too."""
    name = "postfix"

    def __init__(self, directory, options, users, trace=None):
        super().__init__(directory, options, users, trace)
        self.config = os.path.join(directory, "etc")
        self.queue = os.path.join(directory, "queue")
        self.mail = os.path.join(directory, "mail")
        for path in (self.config, self.queue, self.mail):
            os.mkdir(path, 0o755)
        os.mkdir(os.path.join(directory, "data"), 0o700)
        shutil.chown(os.path.join(directory, "data"), "postfix", "postfix")
        self.write_master()
        self.write_mailboxes()
        self.write_main()

    def write_master(self):
        with open("/usr/share/postfix/master.cf.dist") as given:
            lines = [re.sub(r"^smtp +inet", f"127.0.0.1:{self.port} inet", line) for line in given]
        with open(os.path.join(self.config, "master.cf"), "w") as master:
            master.writelines(lines)
            # A service of its own, so that the others are what they are without TLS.
            master.write("tlssmtp unix - - y - - smtp -o smtp_tls_security_level=may -o smtp_tls_connection_reuse=yes\n")
            master.write("tlsproxy unix - - y - 0 tlsproxy -o tlsproxy_client_security_level=may\n")

    def write_mailboxes(self):
        table = os.path.join(self.config, "mailboxes")
        with open(table, "w") as mailboxes:
            for user in range(self.users):
                home = os.path.join(self.mail, f"u{user + 1}")
                for part in ("", "/Maildir", "/Maildir/tmp", "/Maildir/new", "/Maildir/cur"):
                    os.mkdir(home + part, 0o700)
                    shutil.chown(home + part, "nobody", "nogroup")
                mailboxes.write(f"u{user + 1}@{LOCAL_DOMAIN} u{user + 1}/Maildir/\n")

    def write_main(self):
        uid, gid = os.stat(os.path.join(self.mail, "u1")).st_uid, os.stat(os.path.join(self.mail, "u1")).st_gid
        settings = {
            "compatibility_level": "3.6", "queue_directory": self.queue, "data_directory": self.directory + "/data",
            "myhostname": "mx.example", "mydestination": "", "mynetworks": "127.0.0.0/8", "inet_interfaces": "127.0.0.1",
            "inet_protocols": "ipv4", "smtpd_relay_restrictions": "permit_mynetworks reject_unauth_destination",
            "transport_maps": "inline:{" + self.transports() + "}",
            "virtual_mailbox_domains": LOCAL_DOMAIN, "virtual_mailbox_base": self.mail,
            "virtual_mailbox_maps": f"hash:{self.config}/mailboxes", "virtual_minimum_uid": "100",
            "virtual_uid_maps": f"static:{uid}", "virtual_gid_maps": f"static:{gid}", "alias_maps": "",
            "maillog_file": self.directory + "/postfix.log", "maillog_file_prefixes": self.directory,
            "message_size_limit": str(50 * 1048576), "virtual_mailbox_limit": "0", **self.more_settings(),
        }
        with open(os.path.join(self.config, "main.cf"), "w") as main:
            main.writelines(f"{name} = {value}\n" for name, value in settings.items())
        subprocess.run(["postmap", "-c", self.config, os.path.join(self.config, "mailboxes")], check=True)

    def transports(self):
        transports = [f"{{{SINK_DOMAIN}=smtp:[127.0.0.1]:{self.sink.port}}}"]
        if self.tls_sink:
            transports.append(f"{{{TLS_DOMAIN}=tlssmtp:[127.0.0.1]:{self.tls_sink.port}}}")
        return ", ".join(transports)

    def more_settings(self):
        return {}

    def start(self):
        # start-fg is start without leaving: the processes stay below ours.
        self.launch(["postfix", "-c", self.config, "start-fg"])
        wait_for("Postfix", lambda: listening(self.port), 60)
        return self

    def queued(self):
        return any(files for where in ("incoming", "active", "deferred", "maildrop")
                   for _, _, files in os.walk(os.path.join(self.queue, where)))

    def flush(self):
        subprocess.run(["postqueue", "-c", self.config, "-f"], check=True)

    def delivered_recipients(self):
        with open(os.path.join(self.directory, "postfix.log"), "rb") as log:
            return log.read().count(b"status=sent")

    def stop_gently(self):
        subprocess.run(["postfix", "-c", self.config, "stop"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def tail_of_logs(self):
        with open(os.path.join(self.directory, "postfix.log"), errors="replace") as log:
            return "".join([line for line in log if "warning" in line or "fatal" in line][-10:])
