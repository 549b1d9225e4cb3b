// The store's index against its files: filling it at the first start, finding where the two differ, mending
// that. The files are what counts: a damaged index is put aside and made anew, and no message goes with it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/result.h"

namespace postern::quarantine {

class QuarantineStore;
class SqliteRows;

// All files of the spool become rows, and those of the older layout, a spool for each quarantine, move there.
// Damaged ones stay where they are and are logged. Only with the exclusive lock held.
Result<void> fill_index(QuarantineStore& store, SqliteRows& rows);

struct Finding {
  std::string text;
  bool mended = false;
};
// Reads every message. With `repair` what can be mended is: a damaged index is made anew, files whose rows
// were lost get new ones, rows whose files are gone go, files of what was let go do.
Result<std::vector<Finding>> check_store(QuarantineStore& store, bool repair, std::string_view who);

// What a kill or a loss of power has left: unfinished files older than 36 hours (lib/spool.h), files of
// messages that were let go, and files of the same age that were never acknowledged.
Result<void> collect_garbage(QuarantineStore& store);

}  // namespace postern::quarantine
