// The lines of control/quarantines.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/result.h"

namespace postern {

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
