#!/usr/bin/env python3
"""Senders that never give up, and a killer: load.py HOST PORT SVSCAN-PID SECONDS SENDERS RECORD

Each sender hands over one message after the other, each with an id of its own, and tries a message again until it has a 250. Meanwhile
every program below SVSCAN-PID (but supervise) is killed again and again. RECORD gets a line for each acknowledged message: its
id, its recipients separated by commas, and how often it was tried. Prints what was killed how often; exit code 1 when a message
could not be handed over within a minute after the last kill, or one of those that must be was never killed."""
import os
import random
import signal
import smtplib
import sys
import threading
import time

host, port, svscan, seconds, senders, record_name = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5]), sys.argv[6]
PLACES = [["alice@home.example"], ["bob@home.example"], ["carol@far.example"], ["alice@home.example", "bob@home.example"],
          ["alice@home.example", "carol@far.example"]]
# The kernel keeps 15 characters of a name.
MUST_BE_KILLED = {"postern-smtpd", "postern-scanq", "postern-queue", "postern-send", "postern-lspawn", "postern-rspawn", "postern-dnsq",
                  "postern-antivir", "postern-quarant", "multilog"}
record, lock = open(record_name, "w", buffering=1), threading.Lock()
over = threading.Event()
given_up = []


def text(name, size):
    lines = "".join("line %d of %s, long enough to fill some blocks\r\n" % (i, name) for i in range(size))
    return "From: <alice@home.example>\r\nSubject: load\r\nX-Load: %s\r\n\r\n%s.end of %s\r\n" % (name, lines, name)


def hand_over(name, recipients, body):
    client = smtplib.SMTP(host, port, local_hostname="client.example", timeout=30)
    try:
        client.sendmail("alice@home.example", recipients, body)  # raises unless the reply to the message is 250
    finally:
        client.close()


def send(number):
    chooser = random.Random(number)
    count = 0
    while not over.is_set():
        name, recipients = "id-%d-%d" % (number, count), chooser.choice(PLACES)
        body, tries, give_up = text(name, chooser.choice([1, 50, 2000])), 0, None
        while True:
            tries += 1
            try:
                hand_over(name, recipients, body)
                with lock:
                    record.write("%s %s %d\n" % (name, ",".join(recipients), tries))
                break
            except (OSError, smtplib.SMTPException):
                if over.is_set():
                    give_up = give_up or time.monotonic() + 60
                    if time.monotonic() > give_up:
                        given_up.append(name)
                        return
                time.sleep(chooser.uniform(0.02, 0.2))
        count += 1


def processes():
    """Everything below svscan, by program."""
    parents, names = {}, {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % pid) as file:
                stat = file.read()
            names[int(pid)] = stat[stat.index("(") + 1:stat.rindex(")")]
            parents[int(pid)] = int(stat[stat.rindex(")") + 2:].split()[1])
        except OSError:
            pass
    found, below = {}, {svscan}
    for _ in range(8):
        below |= {pid for pid, parent in parents.items() if parent in below}
    for pid in below - {svscan}:
        if names[pid] not in ("supervise", "sh"):
            found.setdefault(names[pid], []).append(pid)
    return found


def kill_for(limit):
    chooser, killed, waiting = random.Random(), {}, []
    end = time.monotonic() + limit
    # On a busy machine it takes longer until each had its turn.
    while time.monotonic() < end or (MUST_BE_KILLED - killed.keys() and time.monotonic() < 3 * limit + end):
        found = processes()
        if not waiting:
            waiting = list(found)
            chooser.shuffle(waiting)
        name = waiting.pop()
        pids = found.get(name, [])
        if pids and chooser.random() < 0.5:
            pids = [chooser.choice(pids)]
        # Those that live for one connection are rarely there when their turn comes.
        for name, pid in [(name, pid) for pid in pids] + [("postern-smtpd", pid) for pid in found.get("postern-smtpd", [])[-1:]]:
            try:
                os.kill(pid, signal.SIGKILL)
                killed[name] = killed.get(name, 0) + 1
            except OSError:
                pass
        time.sleep(chooser.uniform(0.1, 0.4))
    return killed


threads = [threading.Thread(target=send, args=(number,), daemon=True) for number in range(senders)]
for thread in threads:
    thread.start()
killed = kill_for(seconds)
over.set()
stopped = time.monotonic()
for thread in threads:
    thread.join()
print("the last message was taken %.1f seconds after the last kill" % (time.monotonic() - stopped))
print("killed: " + ", ".join("%s %d" % pair for pair in sorted(killed.items())))
for name in MUST_BE_KILLED - killed.keys():
    print("never killed: " + name)
for name in given_up:
    print("never taken: " + name)
sys.exit(1 if given_up or MUST_BE_KILLED - killed.keys() else 0)
