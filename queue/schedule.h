// When each message of cur/ is to be opened next: 16 bytes a message, so that a long queue costs little
// memory. A message that is open is not in it.
//
// What an earlier process left is taken in little by little: new mail and answers must not wait for it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <queue>
#include <set>
#include <vector>

#include "lib/result.h"
#include "lib/spool.h"

namespace postern {

// Since 1970.
uint64_t now_seconds();

class Schedule {
 public:
  // `when` in seconds since 1970; 0: at once.
  void add(uint64_t mid, uint64_t when) { due_.push({when, mid}); }
  // The same, though it has a place for later, or in the line of a site. Its other place is given up when a
  // place of it is met that is of no use: put_back and forget see to that.
  void add_again(uint64_t mid, uint64_t when);
  // A message that was taken out and not opened: again at `when`, unless it has another place.
  void put_back(uint64_t mid, uint64_t when);
  // A message that was taken out and is open or gone: that place was one too many.
  void forget(uint64_t mid);
  // The next message that is due by now, taken out.
  std::optional<uint64_t> take_due(uint64_t now);
  // Everything is due at once.
  void flush();
  // Milliseconds until take_due has something, -1: never.
  [[nodiscard]] int64_t wait(uint64_t now) const;

  // The messages that an earlier process had taken over. Those never tried are due at once; when the others
  // are due is the time of change of their file in defer/ (see append_attempt), which load_some looks at.
  // Parts of cur/ that cannot be read are left for the next call; the failure is one of theirs.
  Result<void> load(const Spool& spool);
  [[nodiscard]] bool loaded() const { return unlisted_.empty(); }
  // A message that was taken over just now, due at once.
  void add_new(uint64_t mid, uint64_t when);
  // `longest_wait`: no time further away is believed.
  void load_some(const Spool& spool, uint64_t now, uint64_t longest_wait);
  [[nodiscard]] bool loading() const { return !unread_.empty(); }

 private:
  struct Due {
    uint64_t when;
    uint64_t mid;
    bool operator>(const Due& other) const {
      return when != other.when ? when > other.when : mid > other.mid;
    }
  };
  static std::set<unsigned> all_parts();
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  std::set<unsigned> unlisted_ = all_parts();  // of cur/
  std::set<uint64_t> known_;      // of these parts: taken over since, so that they are not loaded once more
  std::vector<uint64_t> unread_;  // the last one first
  // Places too many, by mid: a message that waits has one more place than this, one that is open as many.
  std::map<uint64_t, size_t> again_;
};

}  // namespace postern
