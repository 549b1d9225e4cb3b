// What smtpd asks postern-rated, and what is answered: one request has up to kRateChecks checks, and either
// all of them pass and are counted, or none is.
//
//   request  arguments: "ask", then for each check five: WHAT NAME KEY SECONDS LIMIT
//            WHAT    take   counts one more, unless LIMIT are counted within the last SECONDS
//                    look   passes under the same condition, and counts nothing
//                    slot   one of LIMIT that are held at a time; it is held until the connection to rated
//                    ends
//            NAME    which limit it is ("recipients"); the same NAME and KEY are the same counter
//            KEY     whose: a network, a sender, a user
//            SECONDS the length of the window that slides; "day": the calendar day, local time; 0 for a slot
//            LIMIT   0: none, only counted or held
//   reply    exit code 0, "ok" LF or "over INDEX COUNT" LF, INDEX from 0; 100: no such request
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/result.h"

namespace postern {

constexpr size_t kRateChecks = 16;
constexpr size_t kRateNameBytes = 32;
constexpr size_t kRateKeyBytes = 1024;  // an address of 320 bytes with room to spare
constexpr uint32_t kRateDay = 0;        // as seconds: the calendar day
constexpr uint32_t kMostRateSeconds = 31 * 86400;

struct RateCheck {
  enum class What : uint8_t { take, look, slot };
  What what = What::take;
  std::string name;
  std::string key;
  uint32_t seconds = 0;
  uint32_t limit = 0;
  bool operator==(const RateCheck&) const = default;
};

struct RateAnswer {
  bool over = false;
  size_t check = 0;    // which one is over its limit
  uint64_t count = 0;  // what stands against that limit
};

std::vector<std::string> rate_arguments(std::span<const RateCheck> checks);
// A permanent failure for what is no such request.
Result<std::vector<RateCheck>> parse_rate_arguments(std::span<const std::string> arguments);

std::string format_rate_answer(const RateAnswer& answer);
Result<RateAnswer> parse_rate_answer(std::string_view text, size_t checks);

// The network of an address as its first `bits` make it, with their number: "192.0.2.0/24". An IPv4 address
// inside an IPv6 one is that IPv4 address. What is no address at all is its own network.
std::string network_key(std::string_view ip, uint8_t bits_v4, uint8_t bits_v6);

}  // namespace postern
