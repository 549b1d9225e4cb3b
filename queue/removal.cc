#include "queue/removal.h"

#include <string>

#include "lib/log.h"

namespace postern {

bool Removal::remove(uint64_t mid, bool has_attempts_file) {
  if (Result<void> finished = spool_.finish(mid, has_attempts_file); !finished) {
    log_warning("finish MID " + std::to_string(mid), finished.failure());
    failed_.insert(mid);
    return false;
  }
  failed_.erase(mid);
  if (says_done_) log_info("Message finished MID " + std::to_string(mid) + " done");
  return true;
}

}  // namespace postern
