// The end of a pass over a message: what is said in the log, and what is noted for the next one.
#pragma once

#include <cstdint>

#include "lib/spool.h"
#include "queue/attempts.h"
#include "queue/delivery.h"

namespace postern {

// What is deferred when the message is older than its lifetime has failed.
void fail_expired(Delivery& delivery, const RetryProfile& profile, uint64_t now_seconds);
// A line for each failed and each deferred recipient.
void log_pass(const Delivery& delivery);
// Notes the pass in defer/; when the next one is due, seconds since 1970.
uint64_t put_off(const Spool& spool, const Delivery& delivery, const RetryProfile& profile,
                 uint64_t now_seconds);

}  // namespace postern
