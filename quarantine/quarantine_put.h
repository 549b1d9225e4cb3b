// The verb put: takes a message as the queue interface does.
#pragma once

#include "lib/serve.h"
#include "quarantine/quarantine_store.h"

namespace postern::quarantine {

// The exit code of the queue interface; wrong use is 100.
int put_message(QuarantineStore& store, Job& job);

}  // namespace postern::quarantine
