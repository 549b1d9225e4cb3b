"""What the checks of a client cost: the same instance without them and with a Host Access Table of 1,000 entries, limits that postern-rated counts
for each connection and recipient, and one DNS list that nsd serves.

  --checks list        the table asks the list about each client
  --checks reputation  the table wants each client's score, and postern-repd asks the list; it is also told what each client has done

The clients of the benchmark are found by the table's last group, behind 1,000 addresses, ranges and networks and the DNS list, none of which has
them; its policy lets them relay and limits them to more than they do. nsd's CPU and memory count as Postern's."""

import os
import re
import shutil
import statistics
import subprocess
import sys

import systems

ENTRIES = 1000
ZONE = "list.bench"
POLICIES = """BENCH RELAY max_connections=1000 max_connections_per_hour=10000000 max_recipients_per_hour=10000000 max_recipients_per_sender=10000000
 max_message_size=0 max_messages_per_connection=0 max_recipients_per_message=0 use_reputation={reputation}
BLOCKED REJECT
"""
NSD = """server:
  ip-address: 127.0.0.1@{port}
  username: ""
  chroot: ""
  database: ""
  pidfile: ""
  xfrdfile: ""
  server-count: 1
  zonesdir: "{directory}"
  zonelistfile: "{directory}/zone.list"
  xfrdir: "{directory}"
remote-control:
  control-enable: no
zone:
  name: "{zone}"
  zonefile: "{directory}/zone"
"""


def check_tools():
    if not shutil.which("nsd"):
        sys.exit("missing: nsd; make deps installs it")


def table(kind):
    """Documentation networks and others that no client of the benchmark comes from."""
    kinds = (lambda i: f"192.0.{i % 250}.{i // 250}", lambda i: f"10.{i % 250}.{i // 250}.0/24", lambda i: f"198.18.{i % 250}.1-9",
             lambda i: f"2001:db8:{i:x}::/48")
    lines = [f"GROUP{group}:\n" + "".join(f"  {kinds[i % 4](i)}\n" for i in range(group * ENTRIES // 4, (group + 1) * ENTRIES // 4)) + "  $BLOCKED\n"
             for group in range(4)]
    condition = {"list": f"dnslist[{ZONE}]", "reputation": "SBRS[-10:-3]"}[kind]
    return "".join(lines) + f"BAD: {condition} $BLOCKED\nBENCH: 127.0.0.0/8 $BENCH\nALL: $BLOCKED\n"


class PosternChecking(systems.Postern):
    name = "postern-checking"

    def __init__(self, directory, options, users, trace=None):
        self.dns_port = systems.free_port()
        super().__init__(directory, options, users, trace)
        reputation = "on" if options.checks == "reputation" else "off"
        for name, text in (("policies", POLICIES.format(reputation=reputation)), ("hat", table(options.checks)),
                           ("reputationlists", f"list {ZONE} *=-4\n")):
            with open(os.path.join(self.home, "control", name), "w") as file:
                file.write(text)
        self.run("postern-hat", "compile")
        # Nobody relays by tcprules' environment, which would win over the table.
        rules = os.path.join(self.home, "control/tcp.smtp")
        with open(rules, "w") as file:
            file.write(":allow\n")
        with open(rules) as file:
            subprocess.run(["tcprules", rules + ".cdb", rules + ".tmp"], stdin=file, check=True)
        os.chmod(rules + ".cdb", 0o644)
        with open(os.path.join(directory, "nsd.conf"), "w") as file:
            file.write(NSD.format(port=self.dns_port, directory=directory, zone=ZONE))
        with open(os.path.join(directory, "zone"), "w") as file:
            file.write(f"$ORIGIN {ZONE}.\n$TTL 300\n@ SOA ns hostmaster 1 3600 600 86400 300\n@ NS ns\nns A 127.0.0.1\n2.0.0.127 A 127.0.0.2\n")

    def more_arguments(self):
        return ["--resolver", f"127.0.0.1:{self.dns_port}"]

    def run(self, program, *arguments):
        return subprocess.run([self.program(program), *arguments], env=dict(os.environ, POSTERN_HOME=self.home), check=True, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout

    def start(self):
        self.launch_beside(["nsd", "-d", "-c", os.path.join(self.directory, "nsd.conf")])
        systems.wait_for("nsd", lambda: systems.listening(self.dns_port))
        super().start()
        self.began = len(self.log())  # what came before all services stood does not count
        return self

    def log(self):
        log = ""
        for name in sorted(os.listdir(os.path.join(self.home, "log/smtpd"))):
            if name == "current" or name.startswith("@"):
                with open(os.path.join(self.home, "log/smtpd", name), errors="replace") as file:
                    log += file.read()
        return log

    def check(self):
        """Everything was asked: else the numbers would say nothing."""
        log = self.log()[self.began:]
        found, judged, trouble = log.count("RELAY SG BENCH match 127.0.0.0/8"), log.count(" SBRS "), re.findall(".*unable to .*", log)
        if not found or found != judged or trouble:
            sys.exit(f"postern-checking: {found} of {judged} clients were found by the table, {trouble}")
        become = ["setuidgid", "posternd"] if os.getuid() == 0 else []  # rated answers smtpd's user
        with open(os.path.join(os.path.dirname(__file__), "../ask.py")) as script:
            counted = subprocess.run([*become, "/usr/bin/python3", "-", "rated", "--", "ask", "look", "recipients", "127.0.0.1/32", "3600", "1"],
                                     env=dict(os.environ, POSTERN_HOME=self.home), stdin=script, stdout=subprocess.PIPE, text=True).stdout
        if not counted.startswith("over 0 "):
            sys.exit(f"postern-checking: rated has not counted the recipients: {counted}")


def line(workload, results):
    """With and without, of the same minutes."""
    median = {name: statistics.median(run.rate for run in results[name]) for name in ("postern", PosternChecking.name)}
    cpu = {name: statistics.median(run.cpu_ms for run in results[name]) for name in median}
    ratio = median[PosternChecking.name] / median["postern"] if median["postern"] else 0
    return (f"{workload.name} with the checks of clients: {ratio:.3f} of the rate without; "
            f"cpu {workload.cpu_unit} {(cpu[PosternChecking.name] - cpu['postern']) * workload.cpu_factor:+.3f}")
