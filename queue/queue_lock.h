// Whoever works the queue holds the lock on queue/lock.
#pragma once

#include "lib/fd.h"
#include "lib/result.h"

namespace postern {

// Two postern-send on one queue would deliver everything twice. Held as long as the descriptor is open.
Result<Fd> lock_queue();

}  // namespace postern
