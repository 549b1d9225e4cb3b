#include "remote/tlsrpt_day.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>

#include "lib/fd.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kDayBytes = 10;

std::chrono::year_month_day parse_day(std::string_view text) {
  const auto number = [&](size_t at, size_t length) {
    return static_cast<unsigned>(parse_number(text.substr(at, length)).value_or(0));
  };
  return std::chrono::year(static_cast<int>(number(0, 4))) / std::chrono::month(number(5, 2)) /
         std::chrono::day(number(8, 2));
}

bool same_failure(const TlsRecord& a, const TlsRecord& b) {
  return a.result == b.result && a.host == b.host && a.receiving == b.receiving && a.sending == b.sending;
}

}  // namespace

void TlsDay::add(const TlsRecord& record) {
  if (domains.size() >= kTlsDomainsADay && !domains.contains(record.domain)) {
    ++left_out;
    return;
  }
  std::vector<TlsPolicySum>& policies = domains[record.domain];
  auto sum = std::find_if(policies.begin(), policies.end(), [&](const TlsPolicySum& known) {
    return known.type == record.type && known.policy == record.policy && known.mx == record.mx;
  });
  if (sum == policies.end()) {
    if (policies.size() == kTlsPoliciesADomain) {
      ++left_out;
      return;
    }
    policies.push_back({.type = record.type, .policy = record.policy, .mx = record.mx});
    sum = policies.end() - 1;
  }
  if (record.result.empty()) {
    ++sum->successes;
    return;
  }
  ++sum->failures;
  const auto detail =
      std::find_if(sum->details.begin(), sum->details.end(),
                   [&](const TlsPolicySum::Detail& known) { return same_failure(known.record, record); });
  if (detail != sum->details.end()) {
    ++detail->count;
  } else if (sum->details.size() < kTlsFailuresAPolicy) {
    sum->details.push_back({record, 1});
  }
}

bool is_day(std::string_view text) {
  if (text.size() != kDayBytes || text[4] != '-' || text[7] != '-') return false;
  const bool digits =
      parse_number(text.substr(0, 4)) && parse_number(text.substr(5, 2)) && parse_number(text.substr(8, 2));
  return digits && parse_day(text).ok() && text >= "1970-01-01";
}

std::string day_of(uint64_t seconds_since_1970) {
  const std::chrono::sys_seconds moment{std::chrono::seconds(seconds_since_1970)};
  const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(moment)};
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return text.data();
}

uint64_t day_begins(std::string_view day) {
  const std::chrono::sys_days begin{parse_day(day)};
  return static_cast<uint64_t>(std::chrono::sys_seconds(begin).time_since_epoch().count());
}

Result<TlsDay> read_tls_day(const std::string& path) {
  const Fd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file) return os_failure("open " + path, errno);
  TlsDay day;
  std::string left;
  std::array<char, 65536> block{};
  for (;;) {
    Result<size_t> got = read_some(file.get(), block, "read " + path);
    if (!got) return got.failure();
    if (*got == 0) break;
    left.append(block.data(), *got);
    size_t begin = 0;
    for (size_t end = 0; (end = left.find('\n', begin)) != std::string::npos; begin = end + 1) {
      Result<TlsRecord> record = parse_tls_line(std::string_view(left).substr(begin, end - begin));
      if (record) {
        day.add(*record);
      } else {
        ++day.left_out;
      }
    }
    left.erase(0, begin);
    if (left.size() > 2 * kTlsRecordLimitBytes) left.clear();
  }
  return day;
}

Result<void> append_tls_record(const std::string& directory, std::string_view day, const TlsRecord& record) {
  const std::string path = directory + "/" + std::string(day);
  const Fd file{::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640)};
  if (!file) return os_failure("open " + path, errno);
  struct stat status {};
  if (::fstat(file.get(), &status) < 0) return os_failure("look at " + path, errno);
  if (static_cast<size_t>(status.st_size) >= kTlsDayLimitBytes)
    return temporary("write " + path + ": it is full (256 MiB)");
  return write_all(file.get(), format_tls_line(record), "write " + path);
}

}  // namespace postern
