#include "queue/schedule.h"

#include <sys/stat.h>

#include <algorithm>
#include <functional>

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

void Schedule::add_again(uint64_t mid, uint64_t when) {
  ++again_[mid];
  add(mid, when);
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

std::set<unsigned> Schedule::all_parts() {
  std::set<unsigned> parts;
  for (unsigned part = 0; part < POSTERN_SPLIT; ++part) parts.insert(part);
  return parts;
}

void Schedule::add_new(uint64_t mid, uint64_t when) {
  if (unlisted_.contains(static_cast<unsigned>(mid % POSTERN_SPLIT))) known_.insert(mid);
  add(mid, when);
}

Result<void> Schedule::load(const Spool& spool) {
  Result<void> all_listed;
  std::vector<uint64_t> fresh;
  std::vector<uint64_t> tried;
  for (auto part = unlisted_.begin(); part != unlisted_.end();) {
    std::vector<uint64_t> mids;
    std::vector<uint64_t> noted;
    if (Result<void> listed = spool.list_part("cur", *part, mids); !listed) {
      all_listed = listed;
      ++part;
      continue;
    }
    // Without a list of the notes each message is looked for in it.
    const Result<void> notes_listed = spool.list_part("defer", *part, noted);
    if (!notes_listed) all_listed = notes_listed;
    std::sort(noted.begin(), noted.end());
    for (const uint64_t mid : mids) {
      if (known_.erase(mid) > 0) continue;
      const bool was_tried = !notes_listed || std::binary_search(noted.begin(), noted.end(), mid);
      (was_tried ? tried : fresh).push_back(mid);
    }
    part = unlisted_.erase(part);
  }
  if (unlisted_.empty()) known_.clear();
  // By mid, which is about the order in which the files were made: the disk's heads go one way.
  std::sort(fresh.begin(), fresh.end());
  for (const uint64_t mid : fresh) add(mid, 0);
  unread_.insert(unread_.end(), tried.begin(), tried.end());
  std::sort(unread_.begin(), unread_.end(), std::greater<>());
  return all_listed;
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
