// A message of the work queue may be handed on a second time: the first time its taker said yes, and nobody
// who heard it lived to remove it from work/. Its mid tells.
#pragma once

#include <cstdint>

#include "lib/environment.h"
#include "lib/result.h"
#include "lib/spool.h"

namespace postern {

// Does `spool` have the message of this request, from an earlier try? Only for requests with
// POSTERN_DEFERRED; mid, sender and POSTERN_WORK or POSTERN_ICID must be those of the file, and it must have
// all recipients: rather a copy too many than a recipient too few. It is durable then.
Result<bool> taken_before(const Spool& spool, uint64_t mid, const Environment& request,
                          const Envelope& envelope);

}  // namespace postern
