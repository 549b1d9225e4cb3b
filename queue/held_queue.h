// Whoever works a spool holds the lock on its file `lock`.
#pragma once

#include <string_view>

#include "lib/fd.h"
#include "lib/result.h"

namespace postern {

// `program`: who works it; two of them on one spool would do everything twice. Held as long as the descriptor
// is open.
Result<Fd> lock_queue(std::string_view spool = "queue", std::string_view program = "postern-send");

}  // namespace postern
