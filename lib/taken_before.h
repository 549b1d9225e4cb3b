// A message of the work queue may be handed on a second time: the first time its taker said yes, and nobody
// who heard it lived to remove it from work/. Its mid tells.
#pragma once

#include <cstdint>

#include "lib/environment.h"
#include "lib/result.h"
#include "lib/spool.h"

namespace postern {

// Does `spool` have the message of this request, from an earlier try? Only for requests with
// POSTERN_DEFERRED; mid and POSTERN_ICID must both be those of the file. It is durable then.
Result<bool> taken_before(const Spool& spool, uint64_t mid, const Environment& request);

}  // namespace postern
