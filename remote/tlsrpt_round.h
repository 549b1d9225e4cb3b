// Many reports, some at a time, each in a process of its own: a stranger's server that takes its time holds
// up nobody else's report.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace postern {

constexpr unsigned kTlsReportsAtOnce = 5;
constexpr int64_t kTlsQuickMilliseconds = 10000;     // for the DNS and the posts of a report, at first
constexpr int64_t kTlsPatientMilliseconds = 180000;  // and for those that this was too short for, at the end
constexpr int64_t kTlsRoundMilliseconds = 45 * 60000;  // in which reports are begun; what is left has failed

struct TlsRunEnd {
  uint64_t sent = 0;
  uint64_t not_wanted = 0;
  uint64_t failed = 0;  // to be tried again
};

enum class TlsTry : uint8_t { sent, not_wanted, failed, slow, not_noted };
// Sends the report of a domain, in a process that is forked for it, and notes what it has sent itself.
// `slow`: its patience was too short. `not_noted`: what is sent will be sent again, so nothing more is begun.
using TlsTrier = std::function<TlsTry(const std::string& domain, int64_t patience_milliseconds)>;

// In random order, so that no name is always behind the slow ones. `deadline`: of now_milliseconds().
TlsRunEnd send_in_turn(std::vector<std::string> domains, int64_t deadline, const TlsTrier& try_one);

}  // namespace postern
