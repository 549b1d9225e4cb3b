// The send side of postern-qctl's orders: what they make of a message that is open.
#pragma once

#include "lib/spool.h"
#include "queue/delivery.h"

namespace postern {

// Brings the recipients to what is ordered: H, P and R into the queue file, what is to be bounced into
// `failed`. What was delivered or failed before stays. Call it before the jobs of a pass are made, and at its
// end again if orders came meanwhile.
void carry_out(Delivery& delivery);

// Reads the orders again. True when they say something else of some recipient than before; false also when
// they cannot be read (logged).
bool reread_orders(const Spool& spool, Delivery& delivery);

// Has it been ordered to try at once what the last pass did not meet?
bool flush_ordered(const Delivery& delivery);

}  // namespace postern
