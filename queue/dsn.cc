#include "queue/dsn.h"

#include <algorithm>

#include "lib/text.h"

namespace postern {

namespace {

bool is_status(std::string_view word) {
  const std::vector<std::string_view> parts = split(word, '.');
  return parts.size() == 3 && parts[0].size() == 1 &&
         (parts[0][0] == '2' || parts[0][0] == '4' || parts[0][0] == '5') && parts[1].size() <= 3 &&
         parts[2].size() <= 3 && parse_number(parts[1]) && parse_number(parts[2]);
}

// A failed recipient's Status must be of class 5 (RFC 3464 2.3.4): what was deferred too long keeps its
// detail.
std::string failed_status(std::string_view word) {
  std::string status(word);
  status[0] = '5';
  return status;
}

std::string describe(const FailedRecipient& recipient) {
  return "<" + printable(recipient.address, 1003) + ">:\n" + printable(recipient.why, 900) + "\n\n";
}

std::string status_fields(const FailedRecipient& recipient) {
  const Diagnosis diagnosis = diagnose(recipient.why);
  std::string fields = "\n";
  if (!recipient.orcpt.empty()) fields += "Original-Recipient: " + printable(recipient.orcpt, 1003) + "\n";
  fields += "Final-Recipient: rfc822; " + printable(recipient.address, 1003) + "\n";
  fields += "Action: failed\nStatus: " + diagnosis.status + "\n";
  if (!diagnosis.remote_mta.empty())
    fields += "Remote-MTA: dns; " + printable(diagnosis.remote_mta, 255) + "\n";
  if (!diagnosis.smtp_reply.empty())
    fields += "Diagnostic-Code: smtp; " + printable(diagnosis.smtp_reply, 900) + "\n";
  return fields;
}

}  // namespace

Diagnosis diagnose(std::string_view report) {
  Diagnosis diagnosis{.status = "5.0.0", .remote_mta = {}, .smtp_reply = {}};
  static constexpr std::string_view kSaid = " said: ";
  const size_t said = report.find(kSaid);
  if (said != std::string_view::npos) {
    diagnosis.remote_mta = report.substr(0, report.find_first_of("[ "));
    report.remove_prefix(said + kSaid.size());
    diagnosis.smtp_reply = report;
  }
  // The status stands first, or second behind a reply code.
  const std::vector<std::string_view> all = words(report.substr(0, 80));
  for (size_t i = 0; i < std::min<size_t>(2, all.size()); ++i) {
    if (is_status(all[i])) {
      diagnosis.status = failed_status(all[i]);
      return diagnosis;
    }
  }
  return diagnosis;
}

DsnParts make_dsn(const BounceRequest& request, std::string_view me, uint64_t dsn_mid, uint64_t now_seconds) {
  const std::string host = printable(me, 255);
  const std::string boundary = "postern." + std::to_string(dsn_mid);
  DsnParts parts;
  std::string& head = parts.head;
  head += "Date: " + rfc5322_date(now_seconds) + "\nFrom: Mail Delivery System <MAILER-DAEMON@" + host +
          ">\nTo: <" + printable(request.sender, 1003) +
          ">\nSubject: Undelivered mail returned to sender\nMessage-ID: <" + std::to_string(dsn_mid) + "@" +
          host + ">\nAuto-Submitted: auto-replied\nMIME-Version: 1.0\n" +
          "Content-Type: multipart/report; report-type=delivery-status; boundary=\"" + boundary + "\"\n\n";
  head += "--" + boundary + "\nContent-Type: text/plain; charset=us-ascii\n\nThis is the mail system at " +
          host +
          ".\n\nYour message could not be delivered to the addresses below. This is a permanent failure:\n" +
          "it will not be tried again.\n\n";
  for (const FailedRecipient& recipient : request.recipients) head += describe(recipient);
  head += "--" + boundary + "\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; " + host + "\n";
  if (!request.envid.empty()) head += "Original-Envelope-Id: " + printable(request.envid, 1003) + "\n";
  head += "Arrival-Date: " + rfc5322_date(request.arrival) + "\n";
  for (const FailedRecipient& recipient : request.recipients) head += status_fields(recipient);
  head += "\n--" + boundary + "\nContent-Type: " + (request.full ? "message/rfc822" : "text/rfc822-headers") +
          "\n\n";
  parts.tail = "\n--" + boundary + "--\n";
  return parts;
}

}  // namespace postern
