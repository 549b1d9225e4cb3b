#include "queue/schedule.h"

#include <sys/stat.h>

#include <algorithm>
#include <functional>
#include <iterator>

#include "lib/child.h"

#include "lib/text.h"

namespace postern {

namespace {

constexpr int64_t kLoadMilliseconds = 5;  // of one turn of the main loop
constexpr size_t kLooksAtOnce = 16;       // between two looks at the clock

}  // namespace

std::optional<uint64_t> Schedule::take_due(uint64_t now) {
  if (due_.empty() || due_.top().when > now) return std::nullopt;
  const uint64_t mid = due_.top().mid;
  due_.pop();
  return mid;
}

void Schedule::add_again(uint64_t mid) {
  ++again_[mid];
  add(mid, 0);
}

void Schedule::put_back(uint64_t mid, uint64_t when) {
  if (again_.contains(mid)) {
    forget(mid);
  } else {
    add(mid, when);
  }
}

void Schedule::forget(uint64_t mid) {
  const auto found = again_.find(mid);
  if (found != again_.end() && --found->second == 0) again_.erase(found);
}

void Schedule::flush() {
  std::vector<Due> all;
  for (; !due_.empty(); due_.pop()) all.push_back({0, due_.top().mid});
  for (const uint64_t mid : unread_) all.push_back({0, mid});
  unread_ = {};
  due_ = decltype(due_)(std::greater<>(), std::move(all));
}

int64_t Schedule::wait(uint64_t now) const {
  if (!unread_.empty()) return 0;
  if (due_.empty()) return -1;
  return due_.top().when <= now ? 0 : static_cast<int64_t>((due_.top().when - now) * 1000);
}

Result<void> Schedule::load(const Spool& spool) {
  Result<std::vector<uint64_t>> all = spool.list("cur");
  if (!all) return all.failure();
  Result<std::vector<uint64_t>> tried = spool.list("defer");
  if (!tried) return tried.failure();
  // By mid, which is about the order in which the files were made: the disk's heads go one way.
  std::sort(all->begin(), all->end());
  std::sort(tried->begin(), tried->end());
  std::vector<uint64_t> fresh;
  std::set_difference(all->begin(), all->end(), tried->begin(), tried->end(), std::back_inserter(fresh));
  for (const uint64_t mid : fresh) add(mid, 0);
  std::set_intersection(all->begin(), all->end(), tried->begin(), tried->end(), std::back_inserter(unread_));
  std::reverse(unread_.begin(), unread_.end());
  return {};
}

void Schedule::load_some(const Spool& spool, uint64_t now, uint64_t longest_wait) {
  const int64_t until = now_milliseconds() + kLoadMilliseconds;
  while (!unread_.empty() && now_milliseconds() < until) {
    for (size_t looked = 0; looked < kLooksAtOnce && !unread_.empty(); ++looked) {
      const uint64_t mid = unread_.back();
      unread_.pop_back();
      struct stat status {};
      // What cannot be read is opened, and what is wrong is said there.
      const bool known = ::stat(spool.path("defer", mid).c_str(), &status) == 0 && status.st_mtime > 0;
      const uint64_t when = known ? static_cast<uint64_t>(status.st_mtime) : 0;
      add(mid, when > now && when - now > longest_wait ? 0 : when);
    }
  }
  if (unread_.empty()) unread_.shrink_to_fit();
}

uint64_t now_seconds() {
  return now_microseconds() / 1000000;
}

}  // namespace postern
