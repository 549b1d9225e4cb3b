#!/usr/bin/env python3
"""What a loss of power would have left: a model of a disk, fed with the file operations that strace recorded.

  replay.py send HOST PORT RECORD SENDERS EACH    hands over mail; RECORD gets "NAME MID RECIPIENTS" for each 250
  replay.py check TRACE HOME RECORD [OPTION...]   the acknowledged messages at every point of the recording
      --without KIND    the fsyncs of that kind never happened: queue-file, queue-directory, mail-file, mail-directory,
                        quarantine-file, quarantine-directory, work-file, work-directory
      --leave DIR       what pessimism leaves at some points, written to DIR/1, DIR/2 ...
      --live            compare the end of the model with the directories as they are now

The model. Data of a file survives from the end of an fsync of that file that began after the write. An entry of a directory (made,
renamed, removed) survives from the end of an fsync of a directory that it touches; a rename is done whole or not at all, as journalling
file systems promise. What is not synced may survive or not, each operation by itself: looked at are, at every operation's end, that
none survives; that all names and no data do; that everything of one tree does and nothing of the others; and a sample (fixed seed)
in which each is decided by lot. Then for every message that was answered with 250 up to there, and each of its recipients: it stands
whole in the queue with that recipient still to be served, or in the recipient's Maildir, or in a quarantine. And whatever stands where it
would be delivered or read is whole.

Files are written by us from front to back, so a write() goes to the end of its file; any call on our trees that the model does not know
is an error."""
import collections
import ctypes
import os
import random
import re
import smtplib
import struct
import sys
import threading

SEED = 20
SAMPLE = 250  # points at which lots are drawn
NEVER = 1 << 60
CALLS = ("open,openat,creat,write,pwrite64,writev,pwritev,pwritev2,sendfile,copy_file_range,splice,sendto,rename,renameat,renameat2,link,linkat,"
         "symlink,symlinkat,unlink,unlinkat,rmdir,mkdir,mkdirat,truncate,ftruncate,fallocate,fsync,fdatasync,syncfs,sync,sync_file_range")
SIZES = (1, 40, 1500)
PLACES = (["alice@home.example"], ["bob@home.example"], ["alice@home.example", "bob@home.example"], ["carol@home.example", "bob@home.example"])

xxhash = ctypes.CDLL("libxxhash.so.0")
xxhash.XXH3_64bits.restype = ctypes.c_uint64
xxhash.XXH3_64bits.argtypes = (ctypes.c_char_p, ctypes.c_size_t)


def xxh3(data):
    return xxhash.XXH3_64bits(data, len(data))


def text(name, lines):
    body = "".join("line %d of %s, long enough to fill some blocks\n" % (i, name) for i in range(lines))
    hold = "X-Hold: yes\n" if name.endswith("5") else ""
    return "From: <a@other.example>\nSubject: %s\nX-Replay: %s %d\n%s\n%send of %s\n" % (name, name, lines, hold, body, name)


def send(host, port, record_name, senders, each):
    record, lock, failed = open(record_name, "w"), threading.Lock(), []

    def work(number):
        chooser = random.Random(number)
        try:
            for count in range(each):
                name, recipients = "id-%d-%d" % (number, count), chooser.choice(PLACES)
                client = smtplib.SMTP(host, port, local_hostname="client.example", timeout=60)
                client.ehlo()
                client.mail("a@other.example")
                for recipient in recipients: client.rcpt(recipient)
                code, reply = client.data(text(name, chooser.choice(SIZES)).replace("\n", "\r\n").encode())
                client.close()
                if code != 250: raise OSError("%d %s" % (code, reply))
                with lock: record.write("%s %s %s\n" % (name, reply.decode().split()[2], ",".join(recipients)))
        except (OSError, smtplib.SMTPException) as problem:
            failed.append("%s: %r" % (number, problem))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(senders)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    record.close()
    if failed: sys.exit("not taken: " + "; ".join(failed))


NOTES = ("limits", "sites", "leases", "unsubscribed")


class Op:
    """One change: to the data of an inode (at: offset) or to where it stands (gone, come: names)."""
    __slots__ = ("began", "ended", "synced", "tree", "at", "data", "gone", "come")

    def __init__(self, began, ended, tree, at=None, data=b"", gone=None, come=None):
        self.began, self.ended, self.synced, self.tree = began, ended, NEVER, tree
        self.at, self.data, self.gone, self.come = at, data, gone, come


class Inode:
    def __init__(self, old):
        self.old = old  # stood there before the recording, wholly synced
        self.data_ops, self.name_ops = [], []
        self.size = 0
        self.names = []
        self.whole_cache = {}

    def data(self, chosen):
        data = bytearray()
        for op in self.data_ops:
            if not chosen(op): continue
            if op.data is None:  # truncated
                del data[op.at:]
                data.extend(bytes(op.at - len(data)))
                continue
            if len(data) < op.at: data.extend(bytes(op.at - len(data)))
            data[op.at:op.at + len(op.data)] = op.data
        return bytes(data)


class Disk:
    def __init__(self, home, without):
        self.home, self.without = home, without
        self.trees = {"queue": home + "/queue/", "mail": home + "/mail/", "quarantine": home + "/quarantine/", "work": home + "/work/"}
        self.names = {}  # name to inode, as the running programs see it
        self.inodes = []
        self.acknowledged = {}  # mid to when the reply began
        self.points = []
        self.skipped = collections.Counter()

    def tree_of(self, path):
        # What send notes beside its messages may be lost: it goes on without.
        if os.path.dirname(path) + "/" == self.trees["queue"] and os.path.basename(path).split(".")[0] in NOTES: return None
        for tree, top in self.trees.items():
            if path.startswith(top) or path + "/" == top: return tree
        return None

    def kind(self, path, what):
        tree = self.tree_of(path)
        return tree and tree + "-" + what

    def make(self, path, began, ended):
        inode = Inode(False)
        self.inodes.append(inode)
        self.names[path] = inode
        self.name_op(inode, began, ended, None, path)
        return inode

    def name_op(self, inode, began, ended, gone, come):
        inode.name_ops.append(Op(began, ended, self.tree_of(come or gone), gone=gone, come=come))
        self.points.append(ended)

    def data_op(self, path, began, ended, at, data):
        inode = self.names.get(path)
        if inode is None: raise SystemExit("write to %s, which was never made" % path)
        if inode.old: return
        inode.data_ops.append(Op(began, ended, self.tree_of(path), at=inode.size if at is None else at, data=data))
        last = inode.data_ops[-1]
        inode.size = last.at if data is None else max(inode.size, last.at + len(data))
        self.points.append(ended)

    def sync(self, path, began, ended):
        self.points.append(ended)
        inode = self.names.get(path)
        if inode is not None and not os.path.isdir(path):
            if self.kind(path, "file") in self.without: return
            for op in inode.data_ops:
                if op.ended <= began: op.synced = min(op.synced, ended)
            return
        if self.kind(path, "directory") in self.without: return
        for inode in self.inodes:
            for op in inode.name_ops:
                if op.ended <= began and path in (op.gone and os.path.dirname(op.gone), op.come and os.path.dirname(op.come)):
                    op.synced = min(op.synced, ended)


def unescape(quoted):
    if quoted.endswith("..."): raise SystemExit("strace cut a string")
    return quoted[1:-1].encode("latin-1").decode("unicode_escape").encode("latin-1")


FD = r"(?:AT_FDCWD|\d+)(?:<((?:[^>\\]|\\.)*?)(?:\(deleted\)|\s\(deleted\))?>)?"
STRING = r'("(?:[^"\\]|\\.)*"(?:\.\.\.)?)'


def joined(base, path):
    path = unescape(path).decode("latin-1")
    return os.path.normpath(path if path.startswith("/") else (base or "/nowhere") + "/" + path)


def apply(disk, call, rest, result, began, ended, injected):
    """One call that succeeded. The names of a descriptor are those that it had when the call began."""
    # Who holds keys or passwords (tlsd, authq) lets nobody look into its memory: as an ordinary user strace sees an address there.
    # They have no spool.
    if re.match(r"(?:%s, )?0x[0-9a-f]{6,}(?:,|$)" % FD, rest) and not re.match(r"\w*write|send", call): return
    if call in ("open", "openat", "creat"):
        match = re.match(r"(?:%s, )?%s, ([A-Z_|0-9x]+)" % (FD, STRING), rest)
        path = joined(match[1], match[2])
        if not disk.tree_of(path): return
        if path not in disk.names and "O_CREAT" in match[3]: disk.make(path, began, ended)
        if "O_TRUNC" in match[3]: disk.data_op(path, began, ended, 0, None)
    elif call in ("write", "pwrite64", "writev", "sendto"):
        match = re.match(FD + ", ", rest)
        path = match and match[1]
        said = re.search(r'250 2\.0\.0 ok (\d+)\\r\\n', rest) if call in ("write", "sendto") and not (path or "").startswith("/") else None
        if said: disk.acknowledged.setdefault(said[1], began)
        if not path or not disk.tree_of(path) or path.endswith("/wake") or path not in disk.names: return
        if call not in ("write", "pwrite64"): raise SystemExit("the model does not know %s(%s" % (call, rest[:200]))
        found = re.match(STRING + r", (\d+)(?:, (\d+))?", rest[match.end():])
        disk.data_op(path, began, ended, int(found[3]) if call == "pwrite64" else None, unescape(found[1])[:result])
    elif call in ("rename", "renameat", "renameat2"):
        match = re.match(r"(?:%s, )?%s, (?:%s, )?%s" % (FD, STRING, FD, STRING), rest)
        old, new = joined(match[1], match[2]), joined(match[3], match[4])
        if not disk.tree_of(new) and not disk.tree_of(old): return
        if new in disk.names: raise SystemExit("the model does not know a rename that replaces: " + rest[:200])
        inode = disk.names[new] = disk.names.pop(old)
        disk.name_op(inode, began, ended, old, new)
    elif call in ("unlink", "unlinkat"):
        match = re.match(r"(?:%s, )?%s" % (FD, STRING), rest)
        path = joined(match[1], match[2])
        if disk.tree_of(path): disk.name_op(disk.names.pop(path), began, ended, path, None)
    elif call in ("mkdir", "mkdirat"):
        match = re.match(r"(?:%s, )?%s" % (FD, STRING), rest)
        path = joined(match[1], match[2])
        if disk.tree_of(path): disk.make(path, began, ended)
    elif call in ("fsync", "fdatasync"):
        path = re.match(FD, rest)[1]
        if not path or not disk.tree_of(path): return
        if injected: disk.skipped[disk.kind(path, "directory" if os.path.isdir(path) else "file")] += 1
        else: disk.sync(path, began, ended)
    elif any(top in rest for top in disk.trees.values()):
        raise SystemExit("the model does not know %s(%s" % (call, rest[:200]))


def read_trace(name, home, without):
    disk = Disk(home, without)
    known, unfinished = {}, {}
    for top in disk.trees.values():
        for path, directories, files in os.walk(top + "."):
            for directory in directories: known[os.path.normpath(path + "/" + directory)] = Inode(True)
    with open(name, encoding="latin-1") as trace:
        lines = trace.readlines()
    # What the recording makes was not there before it; every other directory that stands there now was.
    for line in lines:
        match = re.match(r'\d+ +mkdir\(%s.* = 0' % STRING, line)
        if match: known.pop(joined(None, match[1]), None)
    disk.names.update(known)
    for number, line in enumerate(lines, 1):
        match = re.match(r"(\d+) +(.*)", line)
        pid, what, began = match[1], match[2], number
        if what.endswith("<unfinished ...>"):
            unfinished[pid] = (number, what[:-len("<unfinished ...>")].rstrip())
            if re.match(r"write\(|sendto\(", what):  # a reply may be on its way from here on
                said = re.search(r'250 2\.0\.0 ok (\d+)\\r\\n', what)
                if said: disk.acknowledged.setdefault(said[1], number)
            continue
        resumed = re.match(r"<\.\.\. \w+ resumed>(.*)", what)
        if resumed:
            if pid not in unfinished: continue
            began, head = unfinished.pop(pid)
            what = head + resumed[1]
        found = re.match(r"(\w+)\((.*)\) += (-?\d+)(.*)", what)
        if found and int(found[3]) >= 0:
            apply(disk, found[1], found[2], int(found[3]), began, number, "(INJECTED)" in found[4])
    disk.end = len(lines) + 1
    return disk


def queue_file(data):
    """Message and {recipient: state} of a queue file (INTERNALS.md, section 1), or None: damaged."""
    if len(data) < 64: return None
    size, records_size, message_hash, records_hash, _, recipients, version, trailer_hash = struct.unpack("<5Q2IQ", data[-64:-8])
    if data[-8:] != b"POSTERNQ" or version != 1 or trailer_hash != xxh3(data[-64:-16]) or size + records_size + 64 != len(data): return None
    message, records, states = data[:size], bytearray(data[size:-64]), {}
    at = 0
    while at < len(records):
        end = records.index(0, at)
        if records[at] in b"PDXHR":
            states[bytes(records[at + 1:end]).decode()] = chr(records[at])
            records[at] = ord("P")
        at = end + 1
    if xxh3(bytes(records)) != records_hash or xxh3(message) != message_hash or len(states) != recipients: return None
    return message, states


def whole_message(data):
    """The name of the message that this is a whole copy of, or None."""
    match = re.search(rb"^X-Replay: (id-\S+) (\d+)$", data, re.M)
    if not match: return None
    wanted = text(match[1].decode(), int(match[2])).encode()
    return match[1].decode() if data.endswith(wanted) else None


class Check:
    def __init__(self, disk, record):
        self.disk = disk
        self.messages = {}  # name: (ack, recipients)
        for line in open(record):
            name, mid, recipients = line.split()
            if mid not in disk.acknowledged: raise SystemExit("no reply for MID %s in the trace" % mid)
            self.messages[name] = (disk.acknowledged[mid], recipients.split(","))
        self.candidates = collections.defaultdict(list)  # name: inodes
        self.files = [inode for inode in disk.inodes if inode.data_ops or inode.name_ops]
        self.parents = {}  # made directories, by name
        for inode in disk.inodes:
            if not inode.data_ops and inode.name_ops[0].come and os.path.isdir(inode.name_ops[0].come): self.parents[inode.name_ops[0].come] = inode
        self.wrong = []

    def places(self, inode, chosen):
        names = set()
        for op in inode.name_ops:
            if not chosen(op): continue
            if op.gone: names.discard(op.gone)
            if op.come: names.add(op.come)
        return [name for name in names if self.reachable(name, chosen)]

    def reachable(self, name, chosen):
        while len(name) > len(self.disk.home):
            name = os.path.dirname(name)
            inode = self.parents.get(name)
            if inode and not any(chosen(op) for op in inode.name_ops): return False
        return True

    def content(self, inode, chosen, kind):
        """(name, states) of what survives of a file, None if it is not whole; kind: spool or Maildir."""
        key = (kind, tuple(chosen(op) for op in inode.data_ops))
        if key not in inode.whole_cache:
            data = inode.data(chosen)
            if kind == "Maildir":
                name = whole_message(data)
                found = name and (name, None)
            else:
                parsed = queue_file(data)
                name = parsed and whole_message(parsed[0])
                found = name and (name, parsed[1])
            inode.whole_cache[key] = found
        return inode.whole_cache[key]

    def survivors(self, chosen):
        """What a restart finds: for each message who still has it, and what is broken."""
        held, broken = collections.defaultdict(set), []
        for inode in self.files:
            if not any(chosen(op) for op in inode.name_ops): continue
            for place in self.places(inode, chosen):
                tree = self.disk.tree_of(place)
                parts = place[len(self.disk.trees[tree]):].split("/")
                if tree == "mail":
                    if len(parts) != 4 or parts[2] not in ("new", "cur"): continue
                    found = self.content(inode, chosen, "Maildir")
                    if found: held[found[0]].add(parts[0] + "@home.example")
                else:
                    if tree == "quarantine": parts = parts[1:]
                    if len(parts) != 3 or parts[0] not in ("new", "cur"): continue
                    found = self.content(inode, chosen, "spool")
                    if found: held[found[0]].update(r for r, state in found[1].items() if state in "PH")
                if not found: broken.append(place)
        return held, broken

    def look(self, point, variant, chosen):
        held, broken = self.survivors(chosen)
        for place in broken: self.wrong.append("line %d, %s: broken: %s" % (point, variant, place[len(self.disk.home):]))
        for name, (ack, recipients) in self.messages.items():
            if ack > point: continue
            for recipient in recipients:
                if recipient not in held[name]:
                    self.wrong.append("line %d, %s: lost: %s for %s, acknowledged at line %d" % (point, variant, name, recipient, ack))

    def everywhere(self):
        disk = self.disk
        points = sorted(set(disk.points) | set(ack for ack, _ in self.messages.values()) | {disk.end})
        lots = random.Random(SEED)
        sample = set(lots.sample(points, min(SAMPLE, len(points))))
        looks = 0
        for point in points:
            variants = {"nothing unsynced": lambda op: op.synced <= point}
            if point in sample or point == disk.end or any(ack == point for ack, _ in self.messages.values()):
                variants["names, no data"] = lambda op: op.synced <= point or (op.at is None and op.began <= point)
                for tree in disk.trees:
                    variants["all of " + tree] = lambda op, tree=tree: op.synced <= point or (op.tree == tree and op.began <= point)
                fate = {}
                variants["by lot"] = lambda op, fate=fate: op.synced <= point or (op.began <= point and fate.setdefault(op, lots.random() < 0.5))
                variants["everything"] = lambda op: op.ended <= point
            for variant, chosen in variants.items():
                self.look(point, variant, chosen)
                looks += 1
            if len(self.wrong) > 1000: break
        return len(points), looks

    def leave(self, directory, count):
        """Pessimism's disk at some acknowledged moments."""
        moments = sorted(ack for ack, _ in self.messages.values())
        for number in range(count):
            point = moments[(number + 1) * len(moments) // (count + 1)]
            chosen = lambda op: op.synced <= point
            with_names = []
            for path, inode in self.disk.names.items():
                if inode.old: os.makedirs("%s/%d%s" % (directory, number + 1, path[len(self.disk.home):]), exist_ok=True)
            for inode in self.files:
                for place in self.places(inode, chosen):
                    if inode in self.parents.values(): os.makedirs("%s/%d%s" % (directory, number + 1, place[len(self.disk.home):]), exist_ok=True)
                    else: with_names.append((place, inode.data(chosen)))
            for place, data in with_names:
                path = "%s/%d%s" % (directory, number + 1, place[len(self.disk.home):])
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "wb") as file: file.write(data)
            with open("%s/%d/acknowledged" % (directory, number + 1), "w") as file:
                for name, (ack, recipients) in self.messages.items():
                    if ack <= point: file.write("%s %s\n" % (name, ",".join(recipients)))

    def compare(self):
        """Does the model end where the directories stand?"""
        modelled = {name for name, inode in self.disk.names.items() if inode in self.files and inode not in self.parents.values()}
        real = set()
        for top in self.disk.trees.values():
            for path, _, files in os.walk(top[:-1]): real.update(os.path.join(path, file) for file in files)
        real = {path for path in real if self.disk.tree_of(path)}
        modelled, real = ({path for path in side if not path.endswith(("/wake", "/lock"))} for side in (modelled, real))
        if modelled != real: raise SystemExit("the model went wrong: only there %s, only here %s" % (sorted(modelled - real)[:5], sorted(real - modelled)[:5]))
        for name in modelled:
            with open(name, "rb") as file:
                if file.read() != self.disk.names[name].data(lambda op: True): raise SystemExit("the model went wrong: other data in " + name)
        return len(modelled)


def check(trace, home, record, *options):
    options, without, leave = list(options), set(), None
    live = "--live" in options
    while options:
        option = options.pop(0)
        if option == "--without": without.add(options.pop(0))
        elif option == "--leave": leave = options.pop(0)
    disk = read_trace(trace, home, without)
    checker = Check(disk, record)
    if live: print("the model ends as the disk does: %d files" % checker.compare())
    points, looks = checker.everywhere()
    if leave: checker.leave(leave, 3)
    for line in checker.wrong[:10]: print(line)
    skipped = ", ".join("%d of %s" % (count, kind) for kind, count in sorted(disk.skipped.items()))
    print("%d messages acknowledged, %d operations, %d disks looked at%s: %d wrong" % (
        len(checker.messages), points, looks, ", fsyncs skipped: " + skipped if skipped else "", len(checker.wrong)))
    if not checker.messages: sys.exit(2)
    sys.exit(1 if checker.wrong else 0)


if __name__ == "__main__":
    verb, arguments = sys.argv[1], sys.argv[2:]
    if verb == "send": send(arguments[0], int(arguments[1]), arguments[2], int(arguments[3]), int(arguments[4]))
    elif verb == "calls": print(CALLS)
    else: check(*arguments)
