// What a quarantine may be called, and the lines of control/quarantines.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/result.h"

namespace postern {

constexpr size_t kQuarantineNameLimit = 64;
constexpr uint64_t kRetentionLimitSeconds = uint64_t{100} * 365 * 86400;

// Letters, digits, blanks, - and _; no blank at the ends and no - in front; 64 at most. So it is an argument
// that cannot be taken for an option.
bool valid_quarantine_name(std::string_view name);

// "90" or "90s", "15m", "8h", "30d": seconds; nothing beyond 100 years.
std::optional<uint64_t> parse_age(std::string_view text);

struct QuarantineSettings {
  std::string name;
  uint64_t retention_seconds = 0;  // 0: for ever
  bool deletes = false;            // what happens then; else it is released
};

// "NAME [retention=AGE] [action=release|delete]"; the name may have blanks. The failure says what is wrong
// and how to write it.
Result<QuarantineSettings> parse_quarantine_line(std::string_view line);
// control/quarantines; empty when it is missing.
Result<std::vector<QuarantineSettings>> quarantine_settings();

}  // namespace postern
