// Taking finished messages out of the queue, again and again where a file cannot be removed: a message that
// was delivered is not delivered again by the process that delivered it.
#pragma once

#include <cstdint>
#include <set>

#include "lib/spool.h"

namespace postern {

class Removal {
 public:
  // `says_done`: each removal is the event "Message finished".
  explicit Removal(const Spool& spool, bool says_done = true) : spool_(spool), says_done_(says_done) {}

  // False (logged) when it could not be removed; then it is in `failed` until a later call succeeds.
  bool remove(uint64_t mid, bool has_attempts_file);
  [[nodiscard]] bool failed(uint64_t mid) const { return failed_.contains(mid); }

 private:
  const Spool& spool_;
  bool says_done_;
  std::set<uint64_t> failed_;
};

}  // namespace postern
