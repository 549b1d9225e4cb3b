// The daily work of postern-tlsrpt: every domain's report of a day that is over, once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/result.h"
#include "remote/tlsrpt_round.h"
#include "remote/tlsrpt_send.h"

namespace postern {

constexpr uint64_t kTlsReportSpreadSeconds = 4 * 3600;  // behind midnight UTC, by our name (RFC 8460 4.1)
constexpr uint64_t kTlsReportGiveUpSeconds = 86400;     // behind the first try (5.5)

// Sends what DIRECTORY/DAY.sent does not name yet, and names it there. Begins no report behind `deadline` (of
// now_milliseconds()).
Result<TlsRunEnd> send_tls_reports(const TlsReportSettings& settings, const std::string& directory,
                                   const std::string& day, int64_t deadline);
// The reports as JSON, one a line, of `domain` or (empty) of all.
Result<std::string> print_tls_reports(const TlsReporter& reporter, const std::string& directory,
                                      const std::string& day, std::string_view domain);
// One round of the service: the days that are over and due, which share kTlsRoundMilliseconds. A day is
// removed when all is sent, or is a day old.
void report_due_days(const TlsReportSettings& settings, const std::string& directory, uint64_t now);

}  // namespace postern
