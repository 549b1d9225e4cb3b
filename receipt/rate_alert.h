// Tells the postmaster that a user has met the limit of a day: one mail through the queue interface.
#pragma once

#include <string>

#include "receipt/rate_check.h"

namespace postern {

// Logs it, and starts a process that hands the mail in, so that nobody has to wait; a few tries, then it is
// given up with a line in the log.
void alert_postmaster(const RateCheck& check);

// The mail, header and body; for tests.
std::string rate_alert_mail(const RateCheck& check, const std::string& me, const std::string& to,
                            uint64_t now_seconds);

}  // namespace postern
