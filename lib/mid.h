// Message and connection numbers: microseconds since 1970 times 4096 plus 12 random bits, 63 bits, decimal.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern {

uint64_t make_mid();
// A decimal number above 0 and within 63 bits.
std::optional<uint64_t> parse_mid(std::string_view text);
// As logs name it: "MID 123".
std::string mid_text(uint64_t mid);

}  // namespace postern
