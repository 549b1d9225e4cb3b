#include <utility>
#include <vector>

#include "lib/mid.h"
#include "lib/text.h"
#include "queue/admission.h"
#include "queue/carry_out.h"
#include "queue/pass.h"
#include "queue/send.h"

namespace postern {

namespace {

constexpr size_t kOpenedAtOnce = 200;  // between two looks at the answers
constexpr int64_t kOpenMilliseconds = 20;
constexpr int64_t kShortageMilliseconds = 1000;  // until the next try when there were no descriptors

}  // namespace

void Send::open_due() {
  // As many as there are places, not one for each that leaves: an order may have finished what is parked.
  for (OpenMessages* place : {&open_local_, &open_remote_}) {
    for (const uint64_t mid : place->take_parked()) schedule_.add(mid, 0);
  }
  // Bounded by time too: with nothing in the page cache each may wait for the disk.
  const int64_t until = now_milliseconds() + kOpenMilliseconds;
  for (size_t opened = 0; opened < kOpenedAtOnce && may_open() && now_milliseconds() < until; ++opened) {
    bool parked = false;
    const std::optional<uint64_t> mid = next_to_open(parked);
    if (!mid) return;
    if (removal_.failed(*mid)) {
      if (!removal_.remove(*mid, true)) schedule_.add(*mid, now_seconds() + kBrokenWaitSeconds);
    } else if (open_.contains(*mid)) {
      schedule_.forget(*mid);
    } else {
      open(*mid, parked);
    }
  }
}

// What is due and what waits for its site, in turn: neither may wait for all of the other.
std::optional<uint64_t> Send::next_to_open(bool& parked) {
  turn_of_parked_ = !turn_of_parked_;
  for (const bool from_line : {turn_of_parked_, !turn_of_parked_}) {
    if (from_line && open_remote_.full()) continue;
    const std::optional<uint64_t> mid =
        from_line ? deliverers_.sites().take_parked() : schedule_.take_due(now_seconds());
    parked = from_line;
    if (mid) return mid;
  }
  return std::nullopt;
}

bool Send::may_open() const {
  return asked.stop == 0 && !(open_local_.full() && open_remote_.full()) &&
         now_milliseconds() >= shortage_until_;
}

void Send::open(uint64_t mid, bool parked) {
  Result<Delivery> opened = open_delivery(spool_, mid);
  if (!opened) {
    if (opened.failure().permanent()) return forget(mid);
    return open_later(mid, opened.failure());
  }
  carry_out(*opened);
  fail_as_asked(*opened);
  decide_pass(*opened, opened->attempts.last < flush_at_, settings_.bounces, now_seconds());
  warn_of_profile(*opened);
  if (!opened->tried && opened->failed.empty() && opened->pending()) {
    return schedule_.put_back(mid, next_time(*opened, opened->attempts.next, now_seconds()));
  }
  if (opened->tried) unsubscribed_.look_up(*opened);
  Jobs jobs;
  if (opened->tried)
    jobs = make_jobs(*opened, settings_.rewriting,
                     [&](std::string_view domain) { return tags_.wanted(domain); });
  if (open_remote_.full() && !open_local_.full() && opened->attempts.tries == 0 && !jobs.local.empty() &&
      !jobs.remote.empty()) {
    jobs.remote.clear();  // a mailbox here does not wait for slow hosts
    opened->remote_waits = opened->withdrawn = true;
  }
  if (!jobs.remote.empty() && open_remote_.full()) return wait_at_site(*opened, jobs.remote.front().site);
  Sites& sites = deliverers_.sites();
  lift_as_ordered(*opened, jobs, flush_at_ > 0 ? flush_at_ - 1 : 0, sites);
  admit_jobs(*opened, jobs, sites, parked, settings_.bounces);
  const bool idle = jobs.local.empty() && jobs.remote.empty();
  if (idle && !opened->held_back.empty() && opened->deferred.empty() && opened->failed.empty()) {
    return wait_at_site(*opened, opened->held_back);
  }
  OpenMessages& kind = jobs.remote.empty() ? open_local_ : open_remote_;
  if (kind.full()) return kind.parked.push_back(mid);
  // Without a job it is only read where the sender is told. What is removed altogether goes even when it is
  // damaged.
  if (Result<void> loaded = idle ? Result<void>() : load_message(*opened); !loaded) {
    give_back(jobs, sites);
    return open_later(mid, loaded.failure());
  }
  said_shortage_ = false;
  Delivery& delivery = open_.emplace(mid, std::move(*opened)).first->second;
  move_to(kind, delivery);
  jobs.set_message(delivery.message.get());
  delivery.jobs_out = jobs.local.size() + jobs.remote.size();
  deliverers_.add(std::move(jobs));
  if (delivery.jobs_out == 0) end_pass(delivery);
}

// Until its site may have more, and where others of its recipients are due at some time, until then too: they
// do not wait for a site that is none of theirs.
void Send::wait_at_site(const Delivery& delivery, const std::string& site) {
  const bool in_line = !deliverers_.sites().park(site, delivery.mid);
  const std::optional<uint64_t> next = soonest_not_due(delivery);
  if (!next) {
    if (in_line) schedule_.forget(delivery.mid);
  } else if (in_line) {
    schedule_.add(delivery.mid, *next);
  } else {
    schedule_.add_again(delivery.mid, *next);
  }
}

// Said once a message: at its first try.
void Send::warn_of_profile(const Delivery& delivery) const {
  if (!delivery.tried || delivery.attempts.tries > 0) return;
  const std::string_view name = settings_.bounces.unknown_name(delivery.queued);
  if (name.empty()) return;
  log_warning("find the bounce profile \"" + printable(name, 80) + "\" of " + mid_text(delivery.mid),
              "control/bounceprofiles has no such line; DEFAULT counts");
}

// The message is gone. An order that came too late stands in defer/ alone.
void Send::forget(uint64_t mid) {
  schedule_.forget(mid);
  (void)spool_.finish(mid, true);
}

// It is damaged; or nothing can be opened until other messages are done, which is no fault of this one.
void Send::open_later(uint64_t mid, const Failure& failure) {
  if (!failure.shortage || !said_shortage_) log_warning("deliver " + mid_text(mid), failure);
  if (!failure.shortage) return schedule_.put_back(mid, now_seconds() + kBrokenWaitSeconds);
  said_shortage_ = true;
  shortage_until_ = now_milliseconds() + kShortageMilliseconds;
  schedule_.put_back(mid, now_seconds());
}

// Orders are read when a message is opened. One that is open already meets them at the end of its pass, which
// comes sooner when jobs that nobody has yet are taken back.
void Send::note_order(uint64_t mid) {
  const auto found = open_.find(mid);
  if (found == open_.end()) return schedule_.add_again(mid, 0);
  Delivery& delivery = found->second;
  delivery.orders_came = true;
  delivery.has_attempts_file = true;
  if (delivery.jobs_out == 0) return;
  // What cannot be read now is said at the end of the pass.
  const Result<bool> changed = reread_orders(delivery);
  if (changed && *changed) take_back_jobs(delivery);
}

// The list has changed since jobs were made that wait for their turn. Those of whom it may name are made
// anew.
void Send::heed_unsubscribed() {
  if (deliverers_.waiting() == 0 || !unsubscribed_.changed()) return;
  std::vector<uint64_t> named;
  for (const auto& [mid, delivery] : open_) {
    if (delivery.jobs_out > 0 && unsubscribed_.names_any(delivery)) named.push_back(mid);
  }
  for (const uint64_t mid : named) take_back_jobs(open_.at(mid));
}

// Those that no deliverer has yet; the pass ends without them.
void Send::take_back_jobs(Delivery& delivery) {
  const size_t withdrawn = deliverers_.withdraw(delivery.mid);
  delivery.withdrawn = delivery.withdrawn || withdrawn > 0;
  delivery.jobs_out -= withdrawn;
  if (delivery.jobs_out == 0) end_pass(delivery);
}

}  // namespace postern
