#!/usr/bin/python3
"""What TLS of its clients costs a server: tls.py BUILD/BIN TLS_SESSIONS [--sessions N] [--processes N] [--runs N] [--key rsa|ec]

Postern and Postfix with the same certificate on loopback, in turn, so that what else the machine does meets both. A session is
EHLO, STARTTLS, the handshake (TLS 1.3), EHLO, QUIT. For each kind: sessions a second, the server's own CPU for each (all its
processes), and how long a session takes (median, 95 of 100).

  full      each handshake anew
  plain     the same by a client with Nagle's algorithm on, as most are
  single    as full, one at a time: how long one takes
  resumed   with the ticket of the first session
  presumed  the same by a client with Nagle's algorithm on
  clear     without TLS: what the rest costs

Medians of the runs. Ends with 1 where Postern makes fewer full sessions a second than nine tenths of Postfix's."""
import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

import measure
import systems

KINDS = {"full": ("full", []), "plain": ("full", ["delay"]), "single": ("full", []), "resumed": ("resumed", []),
         "presumed": ("resumed", ["delay"]), "clear": ("clear", [])}


def make_certificate(directory, key):
    kind = {"rsa": ["rsa:2048"], "ec": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]}[key]
    certificate = os.path.join(directory, "server.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", *kind, "-nodes", "-days", "30", "-subj", "/CN=mx.example",
                    "-keyout", certificate, "-out", certificate], check=True, stderr=subprocess.DEVNULL)
    return certificate


class Postern(systems.Postern):
    def __init__(self, directory, options, certificate):
        super().__init__(directory, options, 1)
        keys = os.path.join(self.home, "secrets/posternk")
        to = os.path.join(keys, "mx.example.pem")
        shutil.copy(certificate, to)
        os.chmod(to, 0o600)
        os.chown(to, os.stat(keys).st_uid, os.stat(keys).st_gid)


class Postfix(systems.Postfix):
    def __init__(self, directory, options, certificate):
        self.certificate = certificate
        super().__init__(directory, options, 1)

    def more_settings(self):
        return {"smtpd_tls_security_level": "may", "smtpd_tls_chain_files": self.certificate, "smtpd_client_connection_count_limit": "0",
                "smtpd_client_connection_rate_limit": "0", "smtpd_tls_loglevel": "1"}


def cpu_of(system):
    return sum(stat[2] + stat[3] for stat in measure.tree_of(system.roots).values())


def measured(system, options, kind):
    how, more = KINDS[kind]
    processes = 1 if kind == "single" else options.processes
    sessions = options.sessions // 8 if kind == "single" else options.sessions
    before = cpu_of(system)
    ran = subprocess.run([options.client, str(system.port), str(sessions), str(processes), how, *more], capture_output=True, text=True)
    if ran.returncode != 0:
        raise SystemExit(f"{system.name}, {kind}: {ran.stderr}\n{system.tail_of_logs()}")
    cpu = cpu_of(system) - before
    seconds, client_cpu, median, slow, resumed = map(float, ran.stdout.split())
    done = sessions // processes * processes
    if kind == "resumed" and resumed < 0.9 * done:
        print(f"  {system.name} resumed {resumed:.0f} of {done} only")
    return {"rate": done / seconds, "cpu": cpu / done * 1000, "median": median, "slow": slow, "client": client_cpu / done * 1000}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin")
    parser.add_argument("client")
    parser.add_argument("--sessions", type=int, default=2000)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--key", choices=["rsa", "ec"], default="rsa")
    parser.add_argument("--kinds", default=",".join(KINDS))
    options = parser.parse_args()
    options.av, options.tls_sink, options.clamdb = False, None, None
    options.client = os.path.abspath(options.client)
    measure.adopt_orphans()
    scratch = tempfile.mkdtemp(prefix="postern-bench-tls.")
    os.chmod(scratch, 0o755)
    make = [Postern] + ([Postfix] if os.getuid() == 0 and shutil.which("postfix") else [])
    systems.check_tools(make)
    options.bin = systems.copy_programs(options.bin, scratch)
    certificate = make_certificate(scratch, options.key)
    started = []
    try:
        for each in make:
            started.append(each(os.path.join(scratch, each.name), options, certificate).start())
        results = {}
        for kind in options.kinds.split(","):
            for run in range(options.runs + 1):
                for system in started:
                    result = measured(system, options, kind)
                    if run:  # the first one warms up
                        results.setdefault((kind, system.name), []).append(result)
        print(f"{options.sessions} sessions, {options.processes} at a time, key {options.key}, medians of {options.runs} runs")
        print(f"{'':10}{'':9}{'sessions/s':>11}{'CPU ms':>9}{'median ms':>11}{'95 % ms':>9}{'client CPU ms':>15}")
        median = {}
        for (kind, name), runs in results.items():
            row = median[kind, name] = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
            print(f"{kind:10}{name:9}{row['rate']:11.0f}{row['cpu']:9.2f}{row['median']:11.2f}{row['slow']:9.2f}{row['client']:15.2f}")
        if len(started) == 2 and "full" in options.kinds:
            return median["full", "postern"]["rate"] < 0.9 * median["full", "postfix"]["rate"]
        return 0
    finally:
        for system in started:
            system.stop()
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
