// What a fuzz target says of its subject; the fuzzer takes the abort for a finding.
#pragma once

#include <cstdlib>

inline void must(bool holds) {
  if (!holds) std::abort();
}
