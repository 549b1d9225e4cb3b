// A delivery as a job of postern-rspawn, or of postern-remote for one message.
#pragma once

#include <string>

#include "lib/serve.h"
#include "remote/delivery.h"

namespace postern {

// The arguments HOST SENDER RECIPIENT…, the message at descriptor 0, the extras at 5 where POSTERN_EXTRAS
// says so, POSTERN_MID and POSTERN_RIDS of a request; appends the reports. 100 for what is no request.
int run_delivery_job(Job& job, Deliverer& deliverer, std::string& output);

}  // namespace postern
