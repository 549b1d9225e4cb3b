// The names of quarantines, which stages choose and the store makes directories of.
#pragma once

#include <string_view>

namespace postern {

constexpr size_t kQuarantineNameLimitBytes = 64;
constexpr size_t kMembershipLimit = 16;               // quarantines that may hold one message
constexpr std::string_view kHoldQuarantine = "Hold";  // where the verb `hold` puts a message, for its time

// Letters, digits, blanks, - and _; no blank at the ends and no - in front; 64 at most. So it is an
// argument that cannot be taken for an option.
bool is_quarantine_name(std::string_view name);

}  // namespace postern
