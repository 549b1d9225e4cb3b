// The end of a pass over a message: what is said in the log, and what is noted for the next one.
#pragma once

#include <cstdint>
#include <set>

#include "queue/attempts.h"
#include "queue/delivery.h"

namespace postern {

// Is the next try due? Times that cannot be are those of a clock that was wrong: then it is.
bool is_due(const Attempts& attempts, uint64_t longest_wait, uint64_t now_seconds);
// POSTERN_BOUNCE with the message: a stage of the scanner wants its sender told that it failed. Pending
// recipients have failed with this text, "5.7.1" before it where it has no status of its own.
void fail_as_asked(Delivery& delivery);
// What is deferred when the message is older than its lifetime has failed.
void fail_expired(Delivery& delivery, const RetryProfile& profile, uint64_t now_seconds);
// A line for each failed and each deferred recipient.
void log_pass(const Delivery& delivery);
// Notes the pass in defer/, and the recipients `told` (see append_attempt); when the next one is due, seconds
// since 1970.
uint64_t put_off(const Delivery& delivery, const std::set<size_t>& told, const RetryProfile& profile,
                 uint64_t now_seconds);

}  // namespace postern
