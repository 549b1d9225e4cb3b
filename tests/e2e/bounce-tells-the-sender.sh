#!/bin/bash
# A permanent failure of some recipients: the others get it, and the sender one report (RFC 3464) in its Maildir that python's
# parser understands. A failure of a null reverse-path is told nobody.
. "$(dirname "$0")/../lib.sh"
SINK=$(free_port)
make_instance --local home.example --user alice --route "far.example:127.0.0.2:$SINK"
echo "#" > "$POSTERN_HOME/control/doublebounceto"
run_instance
start_sink "$SINK" "rcpt:nobody@far.example=550 5.1.1 <nobody@far.example>: no such user" "rcpt:full@far.example=554 5.2.2 full"
printf 'From: alice@home.example\nSubject: three\nX-Long: %s\n\nthe body\n' "$(printf 'a %.0s' {1..400})" > "$T/message"
MID=4711 queue_message alice@home.example nobody@far.example bob@far.example alice@home.example full@far.example unknown@home.example < "$T/message" || fail "queue"
wait_for 30 queue_empty
expect_equal "$(mailbox alice | wc -l)" 2 "messages for alice: hers, and the report"
expect_equal "$(grep -c '^the body' "$T/sink.messages")" 1 "messages at the sink"
report=$(mailbox alice | xargs grep -l '^Subject: Undelivered mail')
python3 - "$report" <<'P' || { cat "$report"; fail "see above"; }
import email, email.policy, sys
report = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.default)
def check(condition, what):
    if not condition: sys.exit("wrong: " + what)
check(not report.defects, "defects %r" % report.defects)
check(report["Return-Path"] == "<>", "Return-Path %r" % report["Return-Path"])
check(report["To"] == "<alice@home.example>" or "alice@home.example" in report["To"], "To")
check("MAILER-DAEMON@mx.example.org" in report["From"], "From")
check(report["Auto-Submitted"] == "auto-replied", "Auto-Submitted")
check(report["Date"].datetime is not None and report["Message-ID"], "Date and Message-ID")
check(report.get_content_type() == "multipart/report", "type")
check(report.get_param("report-type") == "delivery-status", "report-type")
parts = list(report.iter_parts())
check([p.get_content_type() for p in parts] == ["text/plain", "message/delivery-status", "text/rfc822-headers"], "parts")
check("nobody@far.example" in parts[0].get_content() and "no such user" in parts[0].get_content(), "text")
blocks = parts[1].get_payload()
check(blocks[0]["Reporting-MTA"] == "dns; mx.example.org" and blocks[0]["Arrival-Date"], "fields of the message")
check(all(b["Action"] == "failed" for b in blocks[1:]), "Action")
got = {b["Final-Recipient"]: (b["Status"], b["Diagnostic-Code"], b["Remote-MTA"]) for b in blocks[1:]}
check(set(got) == {"rfc822; nobody@far.example", "rfc822; full@far.example", "rfc822; unknown@home.example"}, "recipients %r" % got)
status, code, mta = got["rfc822; nobody@far.example"]
check(status == "5.1.1" and code.startswith("smtp; 550 5.1.1") and mta.startswith("dns; "), "nobody: %r" % got)
check(got["rfc822; full@far.example"][0] == "5.2.2", "full: %r" % got)
check(got["rfc822; unknown@home.example"][0].startswith("5.1.") and not got["rfc822; unknown@home.example"][1], "unknown: %r" % got)
headers = parts[2].get_content()
check("Subject: three" in headers and "the body" not in headers, "returned header")
P
expect_in <(log_of send) '^Info: Bounced: 4711:0 From:<alice@home.example> To:<nobody@far.example> Reason: "5\.1\.1 - Bad destination mailbox address" Response: "\('
expect_in <(log_of send) '^Info: MID [0-9]+ was generated for bounce of MID 4711$'
expect_equal "$(log_of send | grep -c 'was generated for bounce')" 1 "reports"

# Nobody to tell: the null reverse-path, and a report that cannot be delivered itself.
MID=4712 queue_message "" nobody@far.example < "$T/message" || fail "queue"
MID=4713 queue_message nobody@far.example full@far.example < "$T/message" || fail "queue"
wait_for 30 logged send '^Info: Bounced: 4712:0 From:<> '
wait_for 30 logged send '^Info: MID [0-9]+ was generated for bounce of MID 4713$'
wait_for 30 queue_empty
expect_equal "$(log_of send | grep -c 'was generated for bounce')" 2 "reports at the end"
expect_equal "$(log_of send | grep -c '^Info: Bounced: ')" 6 "failures: $(log_of send)"
expect_equal "$(mailbox alice | wc -l)" 2 "messages for alice at the end"
expect_equal "$(spool_files "" | grep -v /lock)" "" "files at the end"
