// The records of one day (UTC), summed up: what each domain's report says (RFC 8460 4.4).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/result.h"
#include "remote/tlsrpt_record.h"

namespace postern {

constexpr size_t kTlsDayLimitBytes = size_t{256} << 20;  // of a day's file; what comes then is not kept
constexpr size_t kTlsDomainsADay = 50000;
constexpr size_t kTlsPoliciesADomain = 20;  // a policy that changes all day; what is beyond is left out
constexpr size_t kTlsFailuresAPolicy = 500;

struct TlsPolicySum {
  std::string type{};
  std::vector<std::string> policy{};
  std::vector<std::string> mx{};
  uint64_t successes = 0;
  uint64_t failures = 0;
  struct Detail {
    TlsRecord record{};  // its result, reason, host and addresses
    uint64_t count = 0;
  };
  std::vector<Detail> details{};
};

struct TlsDay {
  std::map<std::string, std::vector<TlsPolicySum>, std::less<>> domains;
  uint64_t left_out = 0;  // records that no limit lets in, and lines that are none

  void add(const TlsRecord& record);
};

// "2026-11-22", a day that there is.
bool is_day(std::string_view text);
std::string day_of(uint64_t seconds_since_1970);
uint64_t day_begins(std::string_view day);  // seconds since 1970

// The file is read line by line: a half one at its end is left out.
Result<TlsDay> read_tls_day(const std::string& path);
// Appends the line to DIRECTORY/DAY.
Result<void> append_tls_record(const std::string& directory, std::string_view day, const TlsRecord& record);

}  // namespace postern
