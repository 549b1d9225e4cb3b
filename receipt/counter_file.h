// The counters of postern-rated on the disk: written whole beside the old file, then put in its place.
#pragma once

#include <string>

#include "receipt/counters.h"

namespace postern {

Result<void> save_counters(const MemoryCounters& counters, const std::string& path);
// At the start, before anybody saves: what was being written when somebody was killed is removed. A missing
// file is no failure. One that is broken is put aside as PATH.broken, logged, and nothing is known.
Result<void> load_counters(MemoryCounters& counters, const std::string& path);

}  // namespace postern
