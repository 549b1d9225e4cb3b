// The keeper: a resident that does what is due. It releases or deletes what has been held for its time,
// finishes releases that were killed, and clears away what kills and losses of power have left.
#pragma once

#include "quarantine/quarantine_store.h"

namespace postern::quarantine {

// One look. How many messages it has dealt with; failures are logged, and tried again in an hour.
unsigned keep_once(QuarantineStore& store, uint64_t now_seconds);

// Until SIGTERM; SIGALRM looks at once.
int keep(QuarantineStore& store);

}  // namespace postern::quarantine
