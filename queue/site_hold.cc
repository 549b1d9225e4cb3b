#include "queue/site_hold.h"

#include <utility>

namespace postern {

namespace {

constexpr int64_t kRaiseMilliseconds = 1000;
constexpr int64_t kLongestMilliseconds = 60000;  // other addresses may come, and other sites leave room
constexpr size_t kRaiseShare = 8;
constexpr unsigned kMostDoublings = 3;  // remote believes for longer than that that a site waits

}  // namespace

void SiteHold::refused(int64_t now, size_t running, int64_t wait, std::string why) {
  if (running > 0 || wait <= 0) went();
  if (wait <= 0) return;
  // Each time the whole message goes to rspawn and comes back.
  if (running == 0) {
    wait = std::max(wait, kRaiseMilliseconds << alone_);
    alone_ = std::min(alone_ + 1, kMostDoublings);
  }
  why_ = std::move(why);
  most_ = std::max<size_t>(running, 1);
  // A longer wait is for recipients; with none beside it, somebody else has the places.
  if (running == 0 || wait > kRaiseMilliseconds) until_ = now + std::min(wait, kLongestMilliseconds);
  raise_at_ = std::max(until_, now) + kRaiseMilliseconds;
}

bool SiteHold::is_over(int64_t now) const {
  return most_ > 0 && now >= raise_at_ + kLongestMilliseconds;
}

size_t SiteHold::allowed(size_t most, size_t running, int64_t now) {
  if (stops(now)) return 0;
  if (is_over(now)) lift();
  if (most_ == 0) return most;
  if (running >= most_ && now >= raise_at_) {
    most_ += std::max<size_t>(1, most_ / kRaiseShare);
    raise_at_ = now + kRaiseMilliseconds;
  }
  if (most_ >= most) lift();
  return most_ == 0 ? most : most_;
}

}  // namespace postern
