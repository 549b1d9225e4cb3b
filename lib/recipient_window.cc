#include "lib/recipient_window.h"

#include <algorithm>

namespace postern {

namespace {
constexpr int64_t kMinute = 60000;
constexpr int64_t kStepOfMinute = 1000;
}  // namespace

size_t RecipientWindow::room(size_t limit, unsigned minutes, int64_t now) {
  forget(now - minutes * kMinute);
  return limit > counted() ? limit - counted() : 0;
}

int64_t RecipientWindow::next_room(unsigned minutes) const {
  return ended_.empty() ? -1 : ended_.front().when + minutes * kMinute;
}

void RecipientWindow::end(size_t recipients, unsigned minutes, int64_t now) {
  const int64_t step = minutes * kStepOfMinute;
  give_back(recipients);
  add_ended(recipients, (now / step + 1) * step);
}

void RecipientWindow::add_ended(size_t recipients, int64_t when) {
  if (recipients == 0) return;
  ended_sum_ += recipients;
  const auto behind =
      std::find_if(ended_.rbegin(), ended_.rend(), [&](const Ended& ended) { return ended.when <= when; });
  if (behind != ended_.rend() && behind->when == when) {
    behind->recipients += recipients;
  } else {
    ended_.insert(behind.base(), {when, recipients});
  }
}

void RecipientWindow::forget(int64_t until) {
  auto first = ended_.begin();
  for (; first != ended_.end() && first->when <= until; ++first) ended_sum_ -= first->recipients;
  ended_.erase(ended_.begin(), first);
}

void RecipientWindow::clear_ended() {
  ended_.clear();
  ended_sum_ = 0;
}

}  // namespace postern
