// Which run of the kernel this is: times of CLOCK_MONOTONIC mean something in one of them alone.
#pragma once

#include <string>

namespace postern {

// One word; "unknown" where it cannot be read: then no two runs are the same.
std::string boot_id();

}  // namespace postern
