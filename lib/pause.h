// A time for which nothing is tried, as between two tries to reach somebody. It ends when somebody has seen
// that it is over, not when the clock says so: a loop that was told to come back "in 0 ms" comes back, while
// one that tests the clock twice can find it running at the first test and over at the second, and sleep on.
#pragma once

#include <algorithm>
#include <cstdint>

#include "lib/child.h"

namespace postern {

class Pause {
 public:
  void begin(int64_t milliseconds) { until_ = now_milliseconds() + milliseconds; }
  // True: it is over, or none was begun.
  bool over() {
    if (until_ != 0 && now_milliseconds() < until_) return false;
    until_ = 0;
    return true;
  }
  // Milliseconds until over() should be asked; -1: it was, and is.
  [[nodiscard]] int64_t wait() const {
    return until_ == 0 ? -1 : std::max<int64_t>(until_ - now_milliseconds(), 0);
  }

 private:
  int64_t until_ = 0;  // milliseconds of the clock that does not jump; 0: none
};

}  // namespace postern
