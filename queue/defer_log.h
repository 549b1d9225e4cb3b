// The file of queue/attempts.h and queue/orders.h as a whole: who may write it when, and how it is kept
// short.
//
// postern-send appends to it and replaces it, postern-qctl only appends, under flock(2). What was opened may
// have been replaced before the lock came: then it is opened anew.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/fd.h"
#include "lib/spool.h"

namespace postern {

// From here on a file is looked at for what counts no more.
constexpr size_t kCompactBytes = 1024 * 1024;

// For appending, made where it is missing, locked, and the one that the path names.
Result<Fd> lock_defer_log(const std::string& path);

// What counts of it: the last t, the last r and a of each recipient, w, d that are not told of, and all
// orders; of flushes no more than whether one is not met yet.
std::string compact_log(std::string_view text);

// Replaces the file where that halves it. Nothing happens while postern-qctl holds the lock.
Result<void> compact_defer_log(const Spool& spool, uint64_t mid);

}  // namespace postern
