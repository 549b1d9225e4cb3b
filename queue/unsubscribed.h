// Global unsubscribe (control/globalunsubscribe): looked up just before each attempt, for all that the
// gateway sends. Whoever is on the list is dropped or bounced, logged and counted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "lib/unsubscribe_list.h"
#include "lib/watched_file.h"
#include "queue/delivery.h"

namespace postern {

class Unsubscribed {
 public:
  // The count goes on from what stands in `count_path`, which is kept up.
  explicit Unsubscribed(std::string count_path);

  // control/globalunsubscribeaction: "drop" (without the file) or "bounce". A failure keeps what was there.
  Result<void> read_action();

  // Before the jobs of a pass are made: takes out the pending recipients that are on the list.
  void look_up(Delivery& delivery);
  // Has the list changed since the last look? True the first time too.
  bool changed() { return changes_.changed(); }
  // Is any recipient that is pending on the list?
  bool names_any(const Delivery& delivery);
  // Those whose next hop is on the list (Delivery::unsubscribed), as remote has reported them.
  void settle(Delivery& delivery);

 private:
  void note_count();

  // The entry that names a recipient, if it is pending.
  std::optional<std::string> entry_of(const Delivery& delivery, size_t rid,
                                      const UnsubscribeList& list) const;

  UnsubscribeFile file_;
  WatchedFile changes_;
  bool bounces_ = false;
  std::string count_path_;
  uint64_t count_ = 0;
};

}  // namespace postern
