// The report of one domain and day as JSON (RFC 8460 4.4), packed, and as a mail (5.3).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/json_text.h"
#include "lib/result.h"
#include "remote/tlsrpt_day.h"

namespace postern {

struct TlsReporter {
  std::string organization{};  // and submitter: control/me
  std::string contact{};       // the mail's sender too: control/tlsrptfrom
};

struct TlsReport {
  std::string domain{};
  std::string day{};
  std::string id{};         // "2026-11-22.example.org@mx.example.net"
  std::string file_name{};  // "mx.example.net!example.org!1795305600!1795391999.json.gz" (5.1)
  Json json{};
};

TlsReport make_tls_report(const TlsReporter& reporter, std::string_view domain, std::string_view day,
                          const std::vector<TlsPolicySum>& policies);

Result<std::string> gzip(std::string_view bytes);

// Header and body, LF line ends. `packed` is the report's gzip.
std::string tls_report_mail(const TlsReporter& reporter, const TlsReport& report, std::string_view recipient,
                            std::string_view packed, uint64_t now_seconds);

}  // namespace postern
