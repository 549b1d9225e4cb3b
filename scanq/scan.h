// A message's way through the stages.
#pragma once

#include <cstdint>
#include <vector>

#include "scanq/part.h"
#include "scanq/stages.h"

namespace postern {

struct Scanned {
  std::vector<Part> parts;     // at their ends, those that were split off too
  std::vector<Output> copies;  // what stages sent out beside them
  // A part that is deferred defers the message; then the others may not have been scanned to their ends.
  [[nodiscard]] const Part* deferred() const;
  [[nodiscard]] bool all_refused() const;
};

// Runs the stages over every part, edits included, and says what is to become of each. Commits nothing.
// `deadline_milliseconds` is the end of the budget for the whole message.
Scanned scan(std::vector<Part> parts, const std::vector<Stage>& stages, int64_t deadline_milliseconds);

}  // namespace postern
