// The end of a pass over a message: what is said in the log, and what is noted for the next one.
#pragma once

#include <cstdint>
#include <set>

#include "queue/attempts.h"
#include "queue/delivery.h"

namespace postern {

// Is a try that was put off on `last` until `next` due? Times that cannot be are those of a clock that was
// wrong: then it is.
bool is_due(uint64_t last, uint64_t next, uint64_t longest_wait, uint64_t now_seconds);
// POSTERN_BOUNCE with the message: a stage of the scanner wants its sender told that it failed. Pending
// recipients have failed with this text, "5.7.1" before it where it has no status of its own.
void fail_as_asked(Delivery& delivery);
// Before a pass: recipients whose lifetime has ended between two tries have failed of what was said last,
// without another. Who could not be tried as the profile says, because nobody worked the queue, is tried once
// more.
void fail_waiting(Delivery& delivery, const BounceChoice& choice, uint64_t now_seconds);
// Behind it: what is deferred has failed when the message is older than its lifetime, or was tried as often
// as the recipient's profile allows.
void fail_spent(Delivery& delivery, const BounceChoice& choice, uint64_t now_seconds);
// A line in the words of Cisco's bounce_logs for each failed and each deferred recipient.
void log_pass(const Delivery& delivery);
// Notes the pass in defer/, and the recipients `told` (see append_attempt); when the next one is due, seconds
// since 1970.
uint64_t put_off(const Delivery& delivery, const std::set<size_t>& told, const BounceChoice& choice,
                 uint64_t now_seconds);

}  // namespace postern
