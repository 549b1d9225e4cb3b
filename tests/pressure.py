#!/usr/bin/env python3
"""Soft limits of running processes: pressure.py PID nofile|as VALUE|max, for PID and all below it."""
import os
import resource
import sys


def with_children(pid):
    yield pid
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid)) as file: children = file.read().split()
    except OSError:
        return
    for child in children: yield from with_children(int(child))


kind = {"nofile": resource.RLIMIT_NOFILE, "as": resource.RLIMIT_AS}[sys.argv[2]]
changed = 0
for pid in with_children(int(sys.argv[1])):
    try:
        hard = resource.prlimit(pid, kind)[1]
        resource.prlimit(pid, kind, (hard if sys.argv[3] == "max" else int(sys.argv[3]), hard))
        changed += 1
    except ProcessLookupError:
        pass
sys.exit(0 if changed else "no such process: " + sys.argv[1])
