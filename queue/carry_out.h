// The send side of postern-qctl's orders: what they make of a message that is open.
#pragma once

#include <cstdint>
#include <optional>

#include "queue/delivery.h"

namespace postern {

// Brings the recipients to what is ordered: H, P and R into the queue file, what is to be bounced into
// `failed`. What was delivered or failed before stays. Call it before the jobs of a pass are made, and at its
// end again if orders came meanwhile.
void carry_out(Delivery& delivery);

// Reads the orders again. True when they say something else of some recipient than before.
Result<bool> reread_orders(Delivery& delivery);

// Says whether a pass is to be made now (Delivery::tried): it is due, or so ordered, or `flushed`, and some
// recipient waits. Where it is due, only for those recipients that are (Delivery::not_due), and those of them
// whose time is up have failed (queue/pass.h).
void decide_pass(Delivery& delivery, bool flushed, const BounceChoice& choice, uint64_t now_seconds);

// When the soonest of those that are not due is tried, seconds since 1970; nothing: there is none.
std::optional<uint64_t> soonest_not_due(const Delivery& delivery);

// When to open a message that is not finished: now when orders came while it was open; when its next pass is
// due; a message that is held altogether after a day, or when an order for it comes.
uint64_t next_time(const Delivery& delivery, uint64_t next_pass, uint64_t now_seconds);

}  // namespace postern
