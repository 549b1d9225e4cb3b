#include "queue/intake.h"

#include <algorithm>
#include <string>

#include "lib/child.h"
#include "lib/log.h"

namespace postern {

namespace {

constexpr int64_t kLookThroughMilliseconds = 60000;  // new/ is looked through at least that often
constexpr int64_t kGarbageMilliseconds = 3600000;

}  // namespace

void Intake::load_queue() {
  if (Result<void> loaded = schedule_.load(spool_); !loaded) {
    log_warning("look through the queue", loaded.failure());
  }
}

void Intake::take_woken() {
  const WakeReader::Woken woken = wake_.read();
  for (const uint64_t mid : woken.mids) accept(mid);
  if (woken.look_through) look_through_at_ = 0;
}

void Intake::keep_up(bool now_too) {
  const int64_t now = now_milliseconds();
  if (now_too || now >= look_through_at_) look_through();
  if (now >= garbage_at_) {
    garbage_at_ = now + kGarbageMilliseconds;
    spool_.collect_garbage();
  }
}

int64_t Intake::wait() const {
  return std::max<int64_t>(0, std::min(look_through_at_, garbage_at_) - now_milliseconds());
}

void Intake::look_through() {
  look_through_at_ = now_milliseconds() + kLookThroughMilliseconds;
  Result<std::vector<uint64_t>> mids = spool_.list("new");
  if (!mids) return log_warning("look through the queue", mids.failure());
  std::sort(mids->begin(), mids->end());
  for (const uint64_t mid : *mids) accept(mid);
}

void Intake::accept(uint64_t mid) {
  if (Result<void> taken = spool_.take(mid); !taken) {
    // Permanent: it is not in new/ any more, so it was taken when new/ was looked through.
    if (!taken.failure().permanent()) log_warning("take over MID " + std::to_string(mid), taken.failure());
    return;
  }
  schedule_.add(mid, 0);
}

}  // namespace postern
