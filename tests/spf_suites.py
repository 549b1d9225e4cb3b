#!/usr/bin/python3
"""The cases of ../shared/suites/spf (those of RFC 4408 and RFC 7208), put to postern-spf.

    spf_suites.py PROGRAM SUITE.yml…

Each case says which results are right (some leave a choice) and, for a few, the explanation. The zone data of a scenario becomes a
DNS file. Prints each case that fails, and "NAME: N passed, N failed" for each suite.
"""
import os, re, subprocess, sys, tempfile

import yaml


def escaped_name(name):
    name = name[:-1] if name.endswith(".") else name
    return re.sub(r"[^A-Za-z0-9._-]", lambda m: "\\%03d" % ord(m.group()), name)


def character_string(text):
    return '"' + "".join(c if c.isalnum() and c.isascii() or c in " =:-." else "\\%03d" % b
                         for c, b in ((chr(b), b) for b in text.encode("latin-1"))) + '"'


def is_name(name):
    labels = name.rstrip(".").split(".")
    return all(0 < len(label) < 64 for label in labels) and len(name) < 254


def lines_of(name, records):
    """The lines of one name: records of type SPF are TXT records, too, unless the name has some of its own."""
    kinds = [next(iter(r)) for r in records if isinstance(r, dict)]
    for record in records:
        if not isinstance(record, dict):
            yield "%s ANY %s" % (name, record)
            continue
        (kind, data), = record.items()
        if kind == "SPF":
            if "TXT" in kinds:
                continue
            kind = "TXT"
        if data in ("NONE", []):
            continue
        if data == "TIMEOUT":
            yield "%s %s TIMEOUT" % (name, kind)
        elif kind == "TXT":
            strings = data if isinstance(data, list) else [data]
            parts = [s[i:i + 255] for s in strings for i in range(0, len(s), 255)]
            yield "%s TXT %s" % (name, " ".join(map(character_string, parts or [""])))
        elif kind == "MX":
            yield "%s MX %d %s" % (name, data[0], escaped_name(data[1]) or ".")
        elif kind in ("PTR", "CNAME"):
            yield "%s %s %s" % (name, kind, escaped_name(data))
        else:
            yield "%s %s %s" % (name, kind, data)


def write_zone(path, zone):
    with open(path, "w") as file:
        for name, records in zone.items():
            if is_name(name):
                for line in lines_of(escaped_name(name), records):
                    print(line, file=file)


def verdict(program, path, case):
    """The result word and the explanation."""
    # A NUL cannot be an argument; no case of the suites has one.
    command = [program, "--dns", path, "--ip", case["host"], "--helo", case["helo"] or "", "--from", case["mailfrom"] or "",
               "--receiver", "mx.example.org"]
    done = subprocess.run(command, capture_output=True, timeout=60)
    lines = done.stdout.decode("latin-1").split("\n")
    explanation = [line[len("explanation: "):] for line in lines[1:] if line.startswith("explanation: ")]
    return lines[0].split(" ")[0], explanation[0] if explanation else "DEFAULT", lines[0] + done.stderr.decode("latin-1")


def run_suite(program, name, path):
    passed = failed = 0
    with open(name, encoding="utf-8") as file:
        scenarios = [s for s in yaml.safe_load_all(file) if s]
    for scenario in scenarios:
        write_zone(path, scenario["zonedata"])
        for title, case in scenario["tests"].items():
            right = case["result"] if isinstance(case["result"], list) else [case["result"]]
            result, explanation, line = verdict(program, path, case)
            wanted = case.get("explanation", explanation)
            if result in right and (result != "fail" or explanation == wanted):
                passed += 1
                continue
            failed += 1
            print("%s: %s: %s: got %s (%r), expected %s (%r)\n  %s" % (os.path.basename(name), scenario["description"], title, result,
                                                                      explanation, "/".join(right), wanted, line))
    print("%s: %d passed, %d failed" % (os.path.basename(name), passed, failed))
    return failed == 0 and passed > 0


def main():
    program, suites = sys.argv[1], sys.argv[2:]
    handle, path = tempfile.mkstemp(prefix="spf-zone.")
    os.close(handle)
    try:
        good = [run_suite(program, name, path) for name in suites]
    finally:
        os.unlink(path)
    sys.exit(0 if good and all(good) else 1)


main()
