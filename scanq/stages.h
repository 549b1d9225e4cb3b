// control/stages: which stages a message goes through, in which order.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/result.h"

namespace postern {

enum class OnFailure { defer, pass, quarantine };

struct Stage {
  std::string name;                         // a-z, 0-9, '-' and '_'
  std::string program;                      // "@NAME" or a path with arguments
  OnFailure on_failure = OnFailure::defer;  // on-failure=
  unsigned timeout_seconds = 60;            // timeout=
  std::vector<std::string> directions;      // direction=; empty: all
  bool when_released = false;               // when=released: also what an operator released
  [[nodiscard]] bool runs_in(std::string_view direction, bool released) const;
};

// One line "none", or lines "NAME PROGRAM [ARGUMENT]... [OPTION=VALUE]..."; the failure names the line and
// the remedy.
Result<std::vector<Stage>> parse_stages(const std::vector<std::string>& lines);

}  // namespace postern
