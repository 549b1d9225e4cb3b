#include "queue/intake.h"

#include <algorithm>
#include <string>

#include "lib/child.h"
#include "lib/log.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr int64_t kLookThroughMilliseconds = 60000;  // new/ is looked through at least that often
constexpr int64_t kGarbageMilliseconds = 3600000;

}  // namespace

void Intake::load_queue() {
  if (Result<void> made = spool_.make_directories(); !made) {
    log_warning("make the queue's directories", made.failure());
  }
  load_parts();
}

void Intake::load_parts() {
  if (Result<void> loaded = schedule_.load(spool_); !loaded) {
    log_warning("look through the queue", loaded.failure());
  }
}

std::vector<uint64_t> Intake::take_woken() {
  WakeReader::Woken woken = wake_.read();
  std::erase_if(woken.mids, [&](uint64_t mid) { return accept(mid); });
  if (woken.look_through) look_through_at_ = 0;
  return woken.mids;
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
  if (!schedule_.loaded()) load_parts();
  std::vector<uint64_t> mids;
  for (unsigned part = 0; part < POSTERN_SPLIT; ++part) {
    if (Result<void> listed = spool_.list_part("new", part, mids); !listed) {
      log_warning("look through the queue", listed.failure());
    }
  }
  std::sort(mids.begin(), mids.end());
  for (const uint64_t mid : mids) accept(mid);
}

bool Intake::accept(uint64_t mid) {
  if (Result<void> taken = spool_.take(mid); !taken) {
    if (taken.failure().permanent()) return false;
    log_warning("take over MID " + std::to_string(mid), taken.failure());
    return true;
  }
  schedule_.add_new(mid, now_microseconds() / 1000000);  // behind what has been due for longer
  return true;
}

}  // namespace postern
