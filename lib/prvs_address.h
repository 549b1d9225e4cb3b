// A tag of lib/prvs.h seen from outside: its parts, without a key. Needs no libcrypto, so that smtpd can tell
// whether there is anything to ask about.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postern {

constexpr std::string_view kPrvsPrefix = "prvs=";
constexpr size_t kPrvsValueBytes = 10;  // KDDDSSSSSS

struct PrvsAddress {
  unsigned key = 0;
  unsigned day = 0;     // modulo 1000
  std::string mac;      // six hexadecimal digits, lower case
  std::string address;  // without the tag
};
// Nothing when it has no tag in one of the forms. Letter case of "prvs" and of the digits does not count.
std::optional<PrvsAddress> parse_prvs(std::string_view address);

}  // namespace postern
