#include "remote/tlsrpt_send.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>

#include "lib/child.h"
#include "lib/control.h"
#include "lib/dns_answer.h"
#include "lib/envelope.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/mid.h"
#include "lib/submit.h"
#include "lib/text.h"
#include "remote/https.h"
#include "remote/tag_record.h"

namespace postern {

namespace {

constexpr std::string_view kRecordBegin = "v=TLSRPTv1";
constexpr std::string_view kMailScheme = "mailto:";
constexpr int64_t kDnsMilliseconds = 30000;
constexpr int64_t kPostMilliseconds = 60000;
constexpr int64_t kQueueMilliseconds = 235000;

int hex_value(char c) {
  const size_t at = kHex.find(c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

std::string without_percents(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
    if (low < 0) {
      plain += text[i];
    } else {
      plain += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return plain;
}

// One address as mail programs write it, and nothing that could become a second one, or a header field.
bool is_plain_address(std::string_view address) {
  const size_t at = address.find('@');
  if (at == 0 || at == std::string_view::npos || address.find('@', at + 1) != std::string_view::npos)
    return false;
  if (address.size() > 254 || !is_policy_domain(address.substr(at + 1))) return false;
  const std::string_view local = address.substr(0, at);
  return std::all_of(local.begin(), local.end(), [](char c) {
    return c > 0x20 && c < 0x7f && std::string_view("<>()[]\\,;:\"").find(c) == std::string_view::npos;
  });
}

Result<void> send_by_mail(const TlsReportSettings& settings, const TlsReport& report,
                          const std::string& packed, const std::string& address) {
  const std::string mail =
      tls_report_mail(settings.reporter, report, address, packed, now_microseconds() / 1000000);
  Result<Fd> file = memory_file_with("tls-report", mail);
  if (!file) return file.failure();
  if (Result<void> sealed = seal(file->get()); !sealed) return sealed;
  Envelope envelope;
  envelope.sender = settings.reporter.contact;
  // That it cannot be delivered is the reader's affair: nobody here waits for it.
  envelope.recipients.push_back({address, "NEVER", ""});
  const uint64_t mid = make_mid();
  Environment environment;
  environment.set("POSTERN_MID", std::to_string(mid));
  environment.set("POSTERN_LISTENER", "local");
  environment.set("RELAYCLIENT", "");
  // Else a domain whose DANE or MTA-STS is broken never learns of it (RFC 8460 3); and the session is not
  // reported, or two gateways would report to each other for ever.
  environment.set("POSTERN_TLS_REQUIRED", "no");
  const QueueAnswer answer = submit(settings.queue_program, file->get(), envelope, environment,
                                    now_milliseconds() + kQueueMilliseconds);
  const SmtpReply reply = queue_reply(answer);
  if (!reply.accepted()) return temporary("the queue says: " + reply.line());
  log_info("TLS report " + report.id + " MID " + std::to_string(mid) + " to <" + address + ">");
  return {};
}

Result<void> send_by_https(const TlsReportSettings& settings, const TlsReport& report,
                           const std::string& packed, const std::string& url, int64_t deadline) {
  Result<HttpsUrl> parsed = parse_https_url(url);
  if (!parsed) return parsed.failure();
  Result<DnsAnswer> addresses = ask_dns(settings.dns_program, {"ip", parsed->host},
                                        std::min(deadline, now_milliseconds() + kDnsMilliseconds));
  if (!addresses) return addresses.failure();
  HttpsRequest request;
  request.url = *parsed;
  request.addresses = host_addresses({.name = parsed->host, .addresses = addresses->rrsets});
  request.inner = settings.inner;
  request.ca_path = settings.ca_path;
  request.timeout_milliseconds = std::min(kPostMilliseconds, deadline - now_milliseconds());
  request.post_type = "application/tlsrpt+gzip";
  request.post_body = packed;
  const HttpsEnd end = exchange(request);
  if (!end.trouble.text.empty()) return temporary(end.trouble.text);
  // RFC 8460 5.4: 200 and 201 say that it was taken, as does anything of that class.
  if (end.reply.status < 200 || end.reply.status > 299)
    return temporary("the HTTP status is " + std::to_string(end.reply.status));
  log_info("TLS report " + report.id + " to " + printable(url, 200));
  return {};
}

std::optional<TlsReportPlace> place_of(std::string_view uri) {
  if (lower(uri.substr(0, kMailScheme.size())) == kMailScheme) {
    const std::string_view address = uri.substr(kMailScheme.size());
    std::string plain = without_percents(address.substr(0, address.find('?')));
    if (!is_plain_address(plain)) return std::nullopt;
    return TlsReportPlace{.mail_address = std::move(plain), .https_url = {}};
  }
  Result<HttpsUrl> url = parse_https_url(uri);
  if (!url) return std::nullopt;
  return TlsReportPlace{.mail_address = {}, .https_url = url->url};
}

}  // namespace

std::vector<TlsReportPlace> tls_report_places(const std::vector<std::string>& txt_records) {
  std::vector<TlsReportPlace> places;
  const std::optional<std::string_view> record = only_record(txt_records, kRecordBegin);
  if (!record) return places;
  for (const std::string_view rua : loose_tags_of(*record, "rua")) {
    for (const std::string_view uri : split(rua, ',')) {
      if (places.size() == kTlsReportPlaces) return places;
      if (std::optional<TlsReportPlace> place = place_of(trim(uri))) places.push_back(std::move(*place));
    }
  }
  return places;
}

Result<TlsReportSettings> read_tls_report_settings() {
  TlsReportSettings settings;
  Result<std::string> me = control_me();
  if (!me) return me.failure();
  settings.reporter.organization = lower(*me);
  if (!is_policy_domain(settings.reporter.organization))
    return temporary("use control/me: \"" + printable(*me, 80) + "\" is no host name", 55);
  Result<std::string> contact = control_line_or("tlsrptfrom", "postmaster@" + settings.reporter.organization);
  if (!contact) return contact.failure();
  if (!is_plain_address(*contact))
    return temporary("read control/tlsrptfrom: \"" + printable(*contact, 80) + "\" is no address; write one",
                     55);
  settings.reporter.contact = *contact;
  Result<std::string> dns = control_line_or("dnsq", settings.dns_program);
  if (!dns) return dns.failure();
  settings.dns_program = *dns;
  Result<std::string> ca_path = control_line_or("tlscapath", settings.ca_path);
  if (!ca_path) return ca_path.failure();
  settings.ca_path = *ca_path;
  Result<Networks> inner = read_https_inner();
  if (!inner) return inner.failure();
  settings.inner = std::move(*inner);
  if (const char* queue = ::getenv("QMAILQUEUE"); queue != nullptr) settings.queue_program = queue;
  return settings;
}

Result<TlsReportFate> send_tls_report(const TlsReportSettings& settings, const TlsReport& report,
                                      int64_t deadline) {
  Result<std::vector<std::string>> records =
      ask_txt(settings.dns_program, "_smtp._tls." + report.domain,
              std::min(deadline, now_milliseconds() + kDnsMilliseconds));
  if (!records) return records.failure();
  const std::vector<TlsReportPlace> places = tls_report_places(*records);
  if (places.empty()) return TlsReportFate::not_wanted;
  Result<std::string> packed = gzip(report.json.dump(-1, ' ', true, Json::error_handler_t::replace));
  if (!packed) return packed.failure();
  std::optional<Failure> last;
  bool taken = false;
  for (const TlsReportPlace& place : places) {
    const Result<void> sent = place.https_url.empty()
                                  ? send_by_mail(settings, report, *packed, place.mail_address)
                                  : send_by_https(settings, report, *packed, place.https_url, deadline);
    taken = taken || sent.ok();
    if (!sent) last = sent.failure();
  }
  if (taken) return TlsReportFate::sent;
  return *last;
}

}  // namespace postern
