#!/usr/bin/env python3
"""Checks TLS reports: tlsrpt.py json FILE [PATH=VALUE]... | gz FILE … | mail FILE …

The JSON has to be what RFC 8460 4.4 says, no more and no less; then policies/0/summary/total-failure-session-count=2 and
the like have to hold. mail: a mail with such a report, as 5.3 says; header fields are checked as @NAME=VALUE."""
import email, email.policy, gzip, json, re, sys

RESULTS = {"starttls-not-supported", "certificate-host-mismatch", "certificate-expired", "certificate-not-trusted",
           "validation-failure", "tlsa-invalid", "dnssec-invalid", "dane-required", "sts-policy-fetch-error",
           "sts-policy-invalid", "sts-webpki-invalid"}
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def must(holds, what):
    if not holds:
        sys.exit("FAIL: " + what)


def keys(value, needed, allowed=()):
    must(isinstance(value, dict), f"no object: {value!r}")
    must(set(needed) <= set(value) <= set(needed) | set(allowed), f"members: {sorted(value)}")


def texts(value):
    must(isinstance(value, list) and value and all(isinstance(v, str) for v in value), f"no texts: {value!r}")


def count(value):
    must(isinstance(value, int) and value >= 0, f"no count: {value!r}")


def check(report):
    keys(report, ["organization-name", "date-range", "contact-info", "report-id", "policies"])
    keys(report["date-range"], ["start-datetime", "end-datetime"])
    must(all(DATE.fullmatch(d) for d in report["date-range"].values()), "dates")
    must(isinstance(report["policies"], list) and report["policies"], "no policies")
    for entry in report["policies"]:
        keys(entry, ["policy", "summary"], ["failure-details"])
        policy = entry["policy"]
        keys(policy, ["policy-type", "policy-domain"], ["policy-string", "mx-host"])
        must(policy["policy-type"] in ("sts", "tlsa", "no-policy-found"), "policy-type")
        for name in ("policy-string", "mx-host"):
            if name in policy:
                texts(policy[name])
        keys(entry["summary"], ["total-successful-session-count", "total-failure-session-count"])
        for value in entry["summary"].values():
            count(value)
        for detail in entry.get("failure-details", []):
            keys(detail, ["result-type", "failed-session-count"],
                 ["sending-mta-ip", "receiving-mx-hostname", "receiving-ip", "failure-reason-code"])
            must(detail["result-type"] in RESULTS, "result-type")
            count(detail["failed-session-count"])


def at(report, path):
    for step in path.split("/"):
        report = report[int(step) if step.isdigit() else step]
    return report if isinstance(report, str) else json.dumps(report)


kind, name, wants = sys.argv[1], sys.argv[2], [w.split("=", 1) for w in sys.argv[3:]]
with open(name, "rb") as file:
    content = file.read()
mail = None
if kind == "mail":
    mail = email.message_from_bytes(content, policy=email.policy.default)
    must(not mail.defects, f"defects {mail.defects}")
    must(mail.get_content_type() == "multipart/report" and mail.get_param("report-type") == "tlsrpt", "Content-Type")
    text, packed = mail.iter_parts()
    must(text.get_content_type() == "text/plain", "the first part")
    must(packed.get_content_type() == "application/tlsrpt+gzip", "the second part")
    must(re.fullmatch(r"[^!]+![^!]+!\d+!\d+\.json\.gz", packed.get_filename()), f"file name {packed.get_filename()}")
    content = packed.get_content()
report = json.loads(content if kind == "json" else gzip.decompress(content))
check(report)
for path, value in wants:
    got = str(mail[path[1:]]) if path.startswith("@") else at(report, path)
    must(got == value, f"{path}: got {got!r}, expected {value!r}")
