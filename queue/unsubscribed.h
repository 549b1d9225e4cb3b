// Global unsubscribe (control/globalunsubscribe): looked up just before each attempt, for all that the
// gateway sends. Whoever is on the list is dropped or bounced, logged and counted.
#pragma once

#include <cstdint>
#include <string>

#include "lib/unsubscribe_list.h"
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
  // Those whose next hop is on the list (Delivery::unsubscribed), as remote has reported them.
  void settle(Delivery& delivery);

 private:
  void note_count();

  UnsubscribeFile file_;
  bool bounces_ = false;
  std::string count_path_;
  uint64_t count_ = 0;
};

}  // namespace postern
