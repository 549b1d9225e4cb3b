// Passing a request on to a resident as it came.
#pragma once

#include <cstdint>
#include <string_view>

#include "lib/serve.h"

namespace postern {

// Descriptors that are open for reading only are copied into sealed memory files first (the receiver shares
// them with whoever gave them to us), the others are passed as they are. `limit_bytes` bounds each copy. The
// failure's exit code is of the queue interface.
Result<Reply> relay_job(const Job& job, std::string_view program, size_t limit_bytes,
                        int64_t deadline_milliseconds);

}  // namespace postern
