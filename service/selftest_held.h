// Where postern-quarantine holds a message of ours, and taking it away again. It is asked as an operator asks
// it, by its command line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/result.h"

namespace postern {

struct HeldTest {
  uint64_t mid = 0;
  std::string quarantine;  // the second field of its line: one name, or several
  std::string reason;      // the eighth
};

// From a line of `postern-quarantine list`; nothing when the line is not about the message of that marker.
std::optional<HeldTest> parse_held_line(std::string_view line, std::string_view marker);
// Is `name` one of the names in the field (separated by commas)?
bool held_in(const HeldTest& held, std::string_view name);

Result<std::vector<HeldTest>> find_held(std::string_view marker, int64_t deadline_milliseconds);
Result<void> delete_held(const std::vector<HeldTest>& held, int64_t deadline_milliseconds);

}  // namespace postern
