#!/usr/bin/python3
"""What a DSN says, as Python's parser understands it: dsn.py [--flufl] FILE

Lines: "to ADDRESS", "envid ID", "returned full|headers", then for each recipient "ADDRESS ACTION STATUS [orcpt=X] [until]", sorted.
Ends with 1 where the form is wrong (RFC 3464, RFC 6522). With --flufl, what flufl.bounce finds in it instead (Debian's
python3-flufl.bounce): lines "failed ADDRESS" and "delayed ADDRESS"."""
import email
import email.policy
import email.utils
import sys


def wrong(what):
    sys.exit("wrong: " + what)


def check(condition, what):
    if not condition:
        wrong(what)


def fields_of(part):
    """The blocks of fields of a delivery-status part; Python splits those of message/delivery-status itself."""
    if part.get_content_type() == "message/delivery-status":
        return part.get_payload()
    text = part.get_payload(0).as_bytes() if part.is_multipart() else part.get_payload(decode=True)
    return [email.message_from_bytes(block.encode(), policy=email.policy.default)
            for block in text.decode().strip().split("\n\n")]


def describe(path):
    with open(path, "rb") as file:
        report = email.message_from_binary_file(file, policy=email.policy.default)
    check(not report.defects, "defects %r" % report.defects)
    check(report.get_content_type() == "multipart/report", "type " + report.get_content_type())
    check(report["Auto-Submitted"] == "auto-replied" and report["Message-ID"] and report["Date"].datetime, "header")
    check("MAILER-DAEMON@" in report["From"], "From")
    parts = list(report.iter_parts())
    check(len(parts) == 3, "%d parts" % len(parts))
    check(parts[0].get_content_type() == "text/plain" and "mail system at" in parts[0].get_content(), "first part")
    check(parts[1].get_content_type() in ("message/delivery-status", "message/global-delivery-status"), "second part")
    check(report.get_param("report-type") == parts[1].get_content_subtype(), "report-type")
    returned = parts[2].get_content_type()
    check(returned in ("message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers"), "third part " + returned)
    blocks = fields_of(parts[1])
    check(blocks[0]["Reporting-MTA"].startswith("dns; ") and blocks[0]["Arrival-Date"], "fields of the message")
    print("to", report["To"].strip("<>"))
    print("envid", blocks[0]["Original-Envelope-Id"] or "")
    print("returned", "headers" if "headers" in returned else "full")
    lines = []
    for block in blocks[1:]:
        kind, address = block["Final-Recipient"].split("; ", 1)
        check(kind in ("rfc822", "utf-8"), "address type " + kind)
        check(block["Status"][0] == {"failed": "5", "delayed": "4"}.get(block["Action"], "2"), "class of status " + block["Status"])
        check(address in parts[0].get_content() or kind == "utf-8", "%s in the text" % address)
        line = "%s %s %s" % (address, block["Action"], block["Status"])
        if block["Original-Recipient"]:
            line += " orcpt=" + block["Original-Recipient"].split("; ", 1)[1]
        if block["Will-Retry-Until"]:
            check(email.utils.parsedate_to_datetime(block["Will-Retry-Until"]), "Will-Retry-Until")
            line += " until"
        lines.append(line)
    print("\n".join(sorted(lines)))


def flufl(path):
    from flufl.bounce import all_failures
    with open(path, "rb") as file:
        temporary, permanent = all_failures(email.message_from_binary_file(file))
    print("\n".join(["delayed " + a.decode() for a in sorted(temporary)] + ["failed " + a.decode() for a in sorted(permanent)]))


if sys.argv[1] == "--flufl":
    flufl(sys.argv[2])
else:
    describe(sys.argv[1])
