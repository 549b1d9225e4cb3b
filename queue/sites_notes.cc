// What Sites writes down: queue/limits for the next process, queue/sites for postern-qstat.
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "lib/child.h"
#include "lib/log.h"
#include "queue/schedule.h"
#include "queue/sites.h"

namespace postern {

namespace {

constexpr int64_t kStatusMilliseconds = 2000;
constexpr int64_t kStatusShare = 50;  // of the time that writing it takes
constexpr int64_t kLimitsMilliseconds = 60000;
constexpr int64_t kRewriteAgainMilliseconds = 1000;
constexpr int64_t kIdleMilliseconds = 3600000;  // then a site of which nothing is to be said is forgotten

}  // namespace

void Sites::load_limits() {
  const int64_t now = now_milliseconds();
  LimitsFile::Left left = limits_.read(now);
  for (auto& [name, window] : left.windows) {
    // Their jobs ended somewhere until now, or go on in rspawn: then the site waits for them (has_ghosts).
    window.end(window.out(), limits_of(name).minutes, now);
    get(name).window = std::move(window);
  }
  full_since_ = left.full_since;
  rewrite_limits(false);
}

void Sites::rewrite_limits(bool ended) {
  RecipientWindows windows;
  for (const auto& [name, site] : sites_) {
    if (!site.window.empty()) windows[name] = &site.window;
  }
  limits_at_ = now_milliseconds() + kLimitsMilliseconds;
  if (Result<void> wrote = limits_.rewrite(windows, ended); !wrote) {
    log_warning("note what counts against the limits of destinations", wrote.failure());
    limits_at_ = now_milliseconds() + kRewriteAgainMilliseconds;
  }
}

void Sites::tick() {
  const int64_t now = now_milliseconds();
  if (limits_.wants_rewrite() && now >= limits_at_) rewrite_limits(false);
  if (status_changed_ && now >= status_at_) write_status(now);
  if (now >= idle_at_) forget_idle(now);
}

void Sites::end() {
  rewrite_limits(true);
  status_.remove();
}

// Its windows are all over, and whether it answered is known for an hour.
void Sites::forget_idle(int64_t now) {
  idle_at_ = now + kIdleMilliseconds / 4;
  for (auto site = sites_.begin(); site != sites_.end();) {
    Site& old = site->second;
    (void)old.window.room(1, limits_of(site->first).minutes, now);
    const bool busy = old.waiting + old.running + old.parked_count() > 0 || old.in_ring;
    const bool away = old.back_off.next_attempt() > now;
    site = !busy && !away && old.window.empty() && now - old.used > kIdleMilliseconds ? sites_.erase(site)
                                                                                      : std::next(site);
  }
  if (full_since_ >= 0 && now - full_since_ > kIdleMilliseconds + 60000) full_since_ = -1;
}

void Sites::write_status(int64_t now) {
  status_changed_ = false;
  SitesStatus status{.pid = ::getpid(), .time = now_seconds(), .sites = {}};
  for (auto& [name, site] : sites_) {
    const SiteState state = site.back_off.state(now);
    const size_t waiting = site.waiting + site.parked_count();
    const Limits limits = limits_of(name);
    const bool counts = limits.recipients > 0;
    if (counts) (void)site.window.room(1, limits.minutes, now);
    if (state == SiteState::up && site.running + waiting == 0 && site.window.empty()) continue;
    SiteStatus& row = status.sites[name];
    row.state = site_state_name(state);
    row.running = site.running;
    row.waiting = waiting;
    if (counts) row.counted = site.window.counted();
    if (site.back_off.next_attempt() != 0) {
      const int64_t left = std::max<int64_t>(0, site.back_off.next_attempt() - now);
      row.next = status.time + static_cast<uint64_t>((left + 999) / 1000);
    }
    const std::string_view held = site.hold.why(now);
    row.error = held.empty() ? site.back_off.error() : held;
  }
  if (Result<void> wrote = status_.write(status); !wrote)
    log_warning("say how the sites are", wrote.failure());
  status_at_ = now + std::max(kStatusMilliseconds, kStatusShare * (now_milliseconds() - now));
}

}  // namespace postern
