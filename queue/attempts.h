// What stands in defer/ beside a message that has been tried: text lines, appended, never synced.
//
//   r RID TEXT             what the last try of that recipient said
//   t TRIES TIME NEXT      a pass has ended: how many there were, when (seconds since 1970), when the next
//   one is due
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "lib/result.h"

namespace postern {

struct Attempts {
  unsigned tries = 0;
  uint64_t last = 0;  // seconds since 1970
  uint64_t next = 0;
  std::map<size_t, std::string> replies;  // by recipient number, the last one each
};

// Unreadable or broken lines are passed over: what is lost is only when to try again.
Attempts parse_attempts(std::string_view text);
// None when the file is missing.
Attempts read_attempts(const std::string& path);
// The file's time of change becomes that of the next try, so that a long queue is taken in by looking at
// times.
Result<void> append_attempt(const std::string& path, const std::map<size_t, std::string>& replies,
                            const Attempts& now);

struct RetryProfile {
  uint64_t first_wait = 60;      // seconds
  uint64_t longest_wait = 3600;  // seconds
  uint64_t lifetime = 259200;    // seconds from receipt
};
// Seconds to wait after that many tries: doubled each time up to the longest.
uint64_t wait_after(const RetryProfile& profile, unsigned tries);

}  // namespace postern
