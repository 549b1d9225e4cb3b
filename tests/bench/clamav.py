"""What the runs with virus scanning need: Postfix with Debian's clamav-milter and clamd, Postern without its antivirus stage for
comparison, and libclamav called directly with the same mails."""

import copy
import os
import re
import shutil
import smtplib
import statistics
import subprocess
import sys

import measure
import systems

TOOLS = ["clamd", "clamav-milter"]
INFECTED = "/usr/share/clamav-testfiles/clam.mail"

# As /etc/clamav/clamd.conf and clamav-milter.conf of the Debian packages have it where it matters here, but for the places;
# OnInfected, so that a refusal can be seen; and the connections that may wait for clamd: Debian's 15 turn mail of 20 sessions away
# with 451, so it has clamd's own default. Its cache of clean files is off: all mails of a run are the same here, as no real ones are,
# and it would look at the first one alone.
CLAMD = """LocalSocket {sockets}/clamd.sock
LocalSocketMode 666
{user}DatabaseDirectory {database}
TemporaryDirectory {directory}/scratch
PidFile {directory}/clamd.pid
LogFile {directory}/clamd.log
Foreground yes
SelfCheck 3600
ReadTimeout 180
MaxThreads 12
MaxConnectionQueueLength 200
MaxScanSize 100M
MaxFileSize 25M
MaxRecursion 16
StreamMaxLength 25M
DisableCache yes
"""
MILTER = """MilterSocket {sockets}/milter.sock
MilterSocketMode 666
{user}ClamdSocket unix:{sockets}/clamd.sock
TemporaryDirectory {directory}/scratch
LogFile {directory}/milter.log
Foreground yes
ReadTimeout 120
OnClean Accept
OnInfected Reject
OnFail Defer
AddHeader Replace
MaxFileSize 25M
"""


class PosternWithout(systems.Postern):
    """The same instance without the stage: what the stage adds is the difference."""
    name = "postern-without"

    def __init__(self, directory, options, users, trace=None):
        without = copy.copy(options)
        without.av = False
        super().__init__(directory, without, users, trace)


class PostfixClamav(systems.Postfix):
    """Postfix asks clamav-milter, and that clamd, over sockets in Postfix's queue directory, where its chroot sees them."""
    name = "postfix+clamav-milter"

    def __init__(self, directory, options, users, trace=None):
        super().__init__(directory, options, users, trace)
        self.sockets = os.path.join(self.queue, "clamav")
        self.scanner = os.path.join(directory, "clamav")
        for path in (self.sockets, self.scanner, os.path.join(self.scanner, "scratch")):
            os.mkdir(path, 0o755)
            shutil.chown(path, "clamav", "clamav")
        places = {"sockets": self.sockets, "directory": self.scanner, "user": "User clamav\n",
                  "database": options.clamdb or systems.signatures(directory)}
        for name, text in (("clamd", CLAMD), ("milter", MILTER)):
            with open(os.path.join(self.scanner, name + ".conf"), "w") as config:
                config.write(text.format(**places))

    def more_settings(self):
        return {"smtpd_milters": "unix:clamav/milter.sock", "milter_default_action": "tempfail"}

    def start(self):
        for program, config, socket in (("clamd", "clamd", "clamd"), ("clamav-milter", "milter", "milter")):
            self.launch_beside([program, "-c", os.path.join(self.scanner, config + ".conf")])
            systems.wait_for(program, lambda: os.path.exists(os.path.join(self.sockets, socket + ".sock")), 120)
        return super().start()


def check_that_both_scan(running):
    """Each system that scans must refuse a test file of clamav-testfiles; Postern without the stage must not."""
    with open(INFECTED, "rb") as file:
        message = re.sub(rb"\r?\n", b"\r\n", file.read())
    for system in running:
        client = smtplib.SMTP("127.0.0.1", system.port, local_hostname="client.example", timeout=60)
        try:
            client.sendmail("sender@client.example", ["someone@" + systems.SINK_DOMAIN], message)
            refused = False
        except smtplib.SMTPDataError as error:
            refused = error.smtp_code // 100 == 5
        client.quit()
        if refused == (system.name == PosternWithout.name):
            raise SystemExit(f"{system.name}: the test virus was " + ("refused" if refused else "let through"))
        system.wait_idle()


class DirectScans:
    """libclamav alone, in one process: CPU milliseconds for one message, and for each mail all that were measured."""

    def __init__(self, program, scratch, clamdb):
        self.program, directory = program, os.path.join(scratch, "direct")
        os.mkdir(directory, 0o755)
        self.database = clamdb or systems.signatures(directory)
        self.found = {}

    def measure(self, mail, times):
        command = [self.program, self.database, str(times), mail]
        environment = dict(os.environ, TMPDIR="/dev/shm" if os.access("/dev/shm", os.W_OK) else "/tmp")
        said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
        self.found.setdefault(mail, []).append(float(said.split()[-1]))

    def median(self, mail):
        return statistics.median(self.found[mail])


def stage_line(workload, results, direct):
    """What the antivirus stage adds to a message, and how much of that is not libclamav's own: by the CPU of the whole machine, and
    by that of the processes that have more to do with it, which says more on a machine that has other work too."""
    def median(system, cpu_of):
        return statistics.median(cpu_of(run) for run in results[system])

    def processes(run):
        return sum(cpu for name, cpu in run.programs.items()
                   if name.startswith(("postern-antivir", "postern-scanq", "multilog"))) * 1000 / run.count

    machine, own = (median("postern", cpu_of) - median(PosternWithout.name, cpu_of)
                    for cpu_of in (lambda run: run.cpu_ms, processes))
    line = f"{workload.name}+av antivirus stage ms CPU/message: adds {machine:.2f} (antivirus, scanq and multilog alone: {own:.2f})"
    if direct:
        alone = direct.median(workload.file)
        line += f"; libclamav called directly {alone:.2f}; beyond that {machine - alone:.2f} ({own - alone:.2f})"
    return line


def check_tools(with_milter):
    missing = [tool for tool in TOOLS if with_milter and not shutil.which(tool)]
    if missing or not os.path.exists(INFECTED):
        sys.exit("missing: " + " ".join(missing or [INFECTED]) + "; make deps installs them")
