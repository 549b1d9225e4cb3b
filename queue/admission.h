// Which of a message's remote jobs may go now, by what is known of their sites.
#pragma once

#include <cstdint>

#include "queue/delivery.h"
#include "queue/sites.h"

namespace postern {

// Admits what may go, and leaves it in `jobs`. Recipients of a site that is away are deferred with its last
// error; those that its limits hold back stay pending, and delivery.held_back names such a site. `parked`:
// the message was taken out of the line of a site. What is held back when its lifetime is over is deferred.
void admit_jobs(Delivery& delivery, Jobs& jobs, Sites& sites, bool parked, const BounceChoice& choice);

// Those that were admitted and will not go after all.
void give_back(const Jobs& jobs, Sites& sites);

// Where somebody has ordered the pass (`flushed_at`: for all, seconds since 1970), its sites are tried at
// once.
void lift_as_ordered(const Delivery& delivery, const Jobs& jobs, uint64_t flushed_at, Sites& sites);

}  // namespace postern
