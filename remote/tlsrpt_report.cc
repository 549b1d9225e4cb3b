#include "remote/tlsrpt_report.h"

#include <zlib.h>

#include <algorithm>
#include <array>

#include "lib/base64.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr uint64_t kDaySeconds = 86400;
constexpr int kGzipWindow = 15 + 16;  // zlib's way to ask for gzip's header
constexpr size_t kLineCharacters = 76;
constexpr std::string_view kBoundary = "=_postern-tls-report";  // "=_" is in no base64 and no text of ours

Json array_of(const std::vector<std::string>& texts) {
  Json list = Json::array();
  for (const std::string& text : texts) list.push_back(text);
  return list;
}

Json failure_json(const TlsPolicySum::Detail& detail) {
  Json json;
  json["result-type"] = detail.record.result;
  if (!detail.record.sending.empty()) json["sending-mta-ip"] = detail.record.sending;
  if (!detail.record.host.empty()) json["receiving-mx-hostname"] = detail.record.host;
  if (!detail.record.receiving.empty()) json["receiving-ip"] = detail.record.receiving;
  json["failed-session-count"] = detail.count;
  if (!detail.record.reason.empty()) json["failure-reason-code"] = detail.record.reason;
  return json;
}

Json policy_json(std::string_view domain, const TlsPolicySum& sum) {
  Json policy;
  policy["policy-type"] = sum.type;
  if (!sum.policy.empty()) policy["policy-string"] = array_of(sum.policy);
  policy["policy-domain"] = domain;
  if (!sum.mx.empty()) policy["mx-host"] = array_of(sum.mx);
  Json json;
  json["policy"] = std::move(policy);
  json["summary"]["total-successful-session-count"] = sum.successes;
  json["summary"]["total-failure-session-count"] = sum.failures;
  if (sum.details.empty()) return json;
  json["failure-details"] = Json::array();
  for (const TlsPolicySum::Detail& detail : sum.details)
    json["failure-details"].push_back(failure_json(detail));
  return json;
}

void append_field(std::string& mail, std::string_view name, std::string_view value) {
  mail.append(name).append(": ").append(value).append("\n");
}

}  // namespace

TlsReport make_tls_report(const TlsReporter& reporter, std::string_view domain, std::string_view day,
                          const std::vector<TlsPolicySum>& policies) {
  TlsReport report{.domain = std::string(domain), .day = std::string(day)};
  const uint64_t begin = day_begins(day);
  report.id = report.day + "." + report.domain + "@" + reporter.organization;
  report.file_name = reporter.organization + "!" + report.domain + "!" + std::to_string(begin) + "!" +
                     std::to_string(begin + kDaySeconds - 1) + ".json.gz";
  report.json["organization-name"] = reporter.organization;
  report.json["date-range"]["start-datetime"] = report.day + "T00:00:00Z";
  report.json["date-range"]["end-datetime"] = report.day + "T23:59:59Z";
  report.json["contact-info"] = reporter.contact;
  report.json["report-id"] = report.id;
  report.json["policies"] = Json::array();
  for (const TlsPolicySum& sum : policies) report.json["policies"].push_back(policy_json(domain, sum));
  return report;
}

Result<std::string> gzip(std::string_view bytes) {
  z_stream stream{};
  if (::deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    return temporary("pack a report: zlib does not start");
  std::string packed(::deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const int code = ::deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  ::deflateEnd(&stream);
  if (code != Z_STREAM_END) return temporary("pack a report: zlib fails");
  return packed;
}

std::string tls_report_mail(const TlsReporter& reporter, const TlsReport& report, std::string_view recipient,
                            std::string_view packed, uint64_t now_seconds) {
  std::string mail;
  append_field(mail, "From", "TLS reports <" + reporter.contact + ">");
  append_field(mail, "To", "<" + std::string(recipient) + ">");
  append_field(mail, "Date", rfc5322_date(now_seconds));
  append_field(mail, "Subject",
               "Report Domain: " + report.domain + "\n Submitter: " + reporter.organization +
                   "\n Report-ID: <" + report.id + ">");
  append_field(mail, "Message-ID", "<" + std::to_string(now_seconds) + "." + report.id + ">");
  append_field(mail, "TLS-Report-Domain", report.domain);
  append_field(mail, "TLS-Report-Submitter", reporter.organization);
  // A report about TLS that does not work has to arrive all the same (RFC 8460 5.3, RFC 8689 5).
  append_field(mail, "TLS-Required", "No");
  append_field(mail, "Auto-Submitted", "auto-generated");
  append_field(mail, "MIME-Version", "1.0");
  append_field(mail, "Content-Type",
               "multipart/report; report-type=\"tlsrpt\";\n boundary=\"" + std::string(kBoundary) + "\"");
  const std::string between = "\n--" + std::string(kBoundary);
  mail += between + "\nContent-Type: text/plain; charset=us-ascii\n\n";
  mail += "This is the TLS report of " + reporter.organization + " for mail to " + report.domain + " on " +
          report.day + " (UTC).\n";
  mail += between + "\nContent-Type: application/tlsrpt+gzip\nContent-Transfer-Encoding: base64\n" +
          "Content-Disposition: attachment;\n filename=\"" + report.file_name + "\"\n\n";
  return mail + base64_lines(packed, kLineCharacters) + between + "--\n";
}

}  // namespace postern
