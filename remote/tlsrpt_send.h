// Where the reports of a domain go (_smtp._tls.DOMAIN, RFC 8460 3), and sending one there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/inner_addresses.h"
#include "lib/result.h"
#include "remote/tlsrpt_report.h"

namespace postern {

constexpr size_t kTlsReportPlaces = 3;  // of a domain; what it names beyond is left out

struct TlsReportPlace {
  std::string mail_address{};  // or
  std::string https_url{};
};

// Those that the domain's record names; empty when it wants no reports. What is neither mailto: nor https: is
// passed over.
std::vector<TlsReportPlace> tls_report_places(const std::vector<std::string>& txt_records);

struct TlsReportSettings {
  TlsReporter reporter{};
  std::string dns_program = "@dnsq";       // control/dnsq
  std::string queue_program = "@scanq";    // QMAILQUEUE
  std::string ca_path = "/etc/ssl/certs";  // control/tlscapath
  Networks inner{};                        // control/httpsinner
};
Result<TlsReportSettings> read_tls_report_settings();

enum class TlsReportFate { sent, not_wanted };
// Taken by one of the places at least. The DNS and the posts of all places end by `deadline`; our own queue
// has its own time. The failure is temporary when it may be tried again.
Result<TlsReportFate> send_tls_report(const TlsReportSettings& settings, const TlsReport& report,
                                      int64_t deadline_milliseconds);

}  // namespace postern
