#!/usr/bin/python3
"""Writes messages into a queue, as if they had been taken and tried: fill_queue.py HOME COUNT [options]

  --place new|cur     where (default cur)
  --next SECONDS      with cur: they were tried once, and the next try is that far away (negative: overdue); without it: never tried
  --size BYTES        of each message (default 2048)
  --recipient ADDRESS --sender ADDRESS  --first MID

Files are byte for byte as doc/INTERNALS.md describes them. Needs Debian's python3-xxhash."""
import argparse
import os
import struct
import time

import xxhash

SPLIT = int(open(os.path.join(os.path.dirname(__file__), "../../conf-files/conf-split")).readline()) \
    if os.path.exists(os.path.join(os.path.dirname(__file__), "../../conf-files/conf-split")) else 16


def queue_file(message, sender, recipients, born):
    """The bytes of a queue file: message, records, trailer; all numbers little-endian."""
    records = b"s" + sender.encode() + b"\0" + b"".join(b"P" + recipient.encode() + b"\0" for recipient in recipients)
    trailer = struct.pack("<QQQQQII", len(message), len(records), xxhash.xxh3_64_intdigest(message),
                          xxhash.xxh3_64_intdigest(records), born, len(recipients), 1)
    return message + records + trailer + struct.pack("<Q", xxhash.xxh3_64_intdigest(trailer)) + b"POSTERNQ"


def write(path, content):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.write(fd, content)
    os.close(fd)


def fill(home, count, place="cur", next_in=None, size=2048, sender="sender@client.example", recipient="user@local.example",
         first=None, spread=0):
    """Returns the mids. `spread`: the next tries are spread over that many seconds."""
    now = int(time.time())
    first = first or ((now - 3600) * 1000000 << 12)
    header = f"From: <{sender}>\nTo: <{recipient}>\nSubject: waiting\n\n".encode()
    content = queue_file(header + b"x" * max(1, size - len(header) - 1) + b"\n", sender, [recipient], (now - 3600) * 1000000)
    mids = []
    for number in range(count):
        mid = first + number * 4096
        mids.append(mid)
        write(f"{home}/queue/{place}/{mid % SPLIT}/{mid}", content)
        if next_in is not None:
            due = now + next_in + (number * 7919 % spread if spread else 0)
            path = f"{home}/queue/defer/{mid % SPLIT}/{mid}"
            write(path, f"r 0 mx.example[192.0.2.1]:25 said: 451 4.7.1 not now\nt 1 {now - 60} {due}\n".encode())
            os.utime(path, (now, due))
    return mids


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("home")
    parser.add_argument("count", type=int)
    parser.add_argument("--place", choices=["new", "cur"], default="cur")
    parser.add_argument("--next", type=int)
    parser.add_argument("--size", type=int, default=2048)
    parser.add_argument("--sender", default="sender@client.example")
    parser.add_argument("--recipient", default="user@local.example")
    parser.add_argument("--first", type=int)
    options = parser.parse_args()
    fill(options.home, options.count, options.place, options.next, options.size, options.sender, options.recipient, options.first)


if __name__ == "__main__":
    main()
