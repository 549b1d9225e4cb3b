// The instance's home directory and its control files (design, Instances and users).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/result.h"

namespace postern {

// POSTERN_HOME, else conf-files/conf-home of build time.
std::string home_directory();
std::string home_path(std::string_view relative);

// The whole of control/NAME; nothing when the file is missing. Any other fault is a failure.
Result<std::optional<std::string>> control_text(std::string_view name);
// Line 1 of control/NAME, trimmed; nothing when the file is missing. Any other fault is a failure.
Result<std::optional<std::string>> control_line(std::string_view name);
Result<std::string> control_line_or(std::string_view name, std::string_view otherwise);
// A decimal number on line 1; anything else is a failure that names the file, the line and the remedy.
Result<uint64_t> control_number_or(std::string_view name, uint64_t otherwise);
// All lines without comments and empty ones; nothing when the file is missing.
Result<std::optional<std::vector<std::string>>> control_list(std::string_view name);
// control/me, or the kernel's host name where there is none.
Result<std::string> control_me();

// Is `domain` in a list of domains as rcpthosts and locals hold them: "example.org" that domain,
// ".example.org" everything below it. Letter case is ignored.
bool domain_listed(std::string_view domain, const std::vector<std::string>& list);

}  // namespace postern
