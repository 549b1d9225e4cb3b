// The answers of other hosts about recipients, kept for a while and shared by all workers.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "lib/callahead_profiles.h"
#include "remote/shared_memory.h"

namespace postern {

struct CallAheadAnswer {
  int exit_code = 111;  // 0 yes, 100 no, 111 not known
  std::string reply;    // "550 5.1.1 text"
  std::string why;      // for people
};

class AnswerCache {
 public:
  explicit AnswerCache(const CallAheadProfiles& profiles);
  // `profile` in lower case, `now` in milliseconds.
  std::optional<CallAheadAnswer> find(const std::string& profile, std::string_view address, int64_t now);
  // A full set loses what would have ended first.
  void add(const std::string& profile, std::string_view address, const CallAheadAnswer& answer,
           int64_t until);

 private:
  struct Entry {
    uint64_t high;  // of the hash of profile and address; two addresses share one once in 10^38
    uint64_t low;
    int64_t until;  // milliseconds; 0: free
    uint16_t exit_code;
    uint16_t reply_size;
    char reply[228];
  };
  static constexpr size_t kSetSize = 8;
  static constexpr size_t kReplyLimitBytes = sizeof(Entry::reply);
  struct Region {
    size_t first = 0;
    size_t sets = 0;
  };
  struct Place {
    size_t set = 0;  // number of its first entry
    uint64_t high = 0;
    uint64_t low = 0;
  };
  static std::map<std::string, Region> regions_of(const CallAheadProfiles& profiles);
  static size_t size_of(const std::map<std::string, Region>& regions);
  [[nodiscard]] std::optional<Place> place_of(const std::string& profile, std::string_view address) const;

  std::map<std::string, Region> regions_;
  SharedEntries<Entry> entries_;
};

}  // namespace postern
