// The resident: one process, one loop over all connections. Each smtpd keeps its connection open for as long
// as its client stays, so what it holds is given back when it ends, however it ends.
#pragma once

#include <functional>
#include <string>

#include "lib/serve.h"
#include "receipt/counters.h"

namespace postern {

struct RatedOptions {
  std::string state_file;
  // Somebody has met the limit of a day: called once a day for each; `who` is the check's key.
  std::function<void(const RateCheck& check)> alert;
};

// Until SIGTERM, after which the state is written a last time.
int serve_rates(int listening, const ServeOptions& options, const RatedOptions& rated,
                MemoryCounters& counters);

}  // namespace postern
