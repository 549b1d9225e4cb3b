// Points of the `score` verb. They add up exactly, so they are whole thousandths.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/environment.h"

namespace postern {

// "5", "-1.5", "+.25": thousandths; digits behind the third are dropped. At most 6 digits before the point.
std::optional<int64_t> parse_points(std::string_view text);
std::string format_points(int64_t thousandths);  // "5", "-1.5", "0"

// Adds to POSTERN_SCORE, and "SYMBOL=POINTS" to POSTERN_SYMBOLS, which is bounded: later symbols are left out
// then.
void add_score(Environment& environment, int64_t thousandths, std::string_view symbol);

}  // namespace postern
