#include "queue/sites.h"

#include <algorithm>
#include <utility>

#include "lib/child.h"
#include "lib/log.h"
#include "lib/text.h"
#include "queue/gateway_sites.h"
#include "queue/schedule.h"

namespace postern {

namespace {

constexpr int64_t kGhostMilliseconds = 1000;  // until it is looked again; and for a connection to close
constexpr int64_t kLookMilliseconds = 1000;   // shares also change as time goes by
constexpr size_t kRow = 8;  // waiting behind those that run, so that a connection finds its next job

}  // namespace

Sites::Sites(const std::string& directory) : limits_(directory), leases_(directory), status_(directory) {}

void Sites::configure(Destinations table, size_t places, const BackOffWaits& waits) {
  const bool first = lanes_.places() == 0;
  table_ = std::move(table);
  lanes_.configure(places);
  waits_ = waits;
  changed_ = true;
  if (first) {
    load_limits();
    ghosts_ = leases_.any_taken();
  }
  for (auto& [name, site] : sites_) ring(site);
}

Sites::Site& Sites::get(const std::string& name) {
  const auto [found, made] = sites_.try_emplace(name);
  Site& site = found->second;
  site.used = now_milliseconds();
  if (!made) return site;
  site.name = &found->first;
  if (full_since_ >= 0) {
    const unsigned limit = limits_of(name).recipients;
    if (limit > 0) site.window.add_ended(limit, full_since_);
  }
  return site;
}

namespace {

// Who answers, slowly or not, and who has yet to.
Lane lane_of(const BackOff& back_off, int64_t now) {
  switch (back_off.state(now)) {
    case SiteState::away:
      return Lane::away;
    case SiteState::probing:
      return Lane::probing;
    case SiteState::slow:
      return Lane::slow;
    default:
      return back_off.proven() ? Lane::quick : Lane::untried;
  }
}

}  // namespace

void Sites::relane(Site& site, int64_t now) {
  const Lane lane = lane_of(site.back_off, now);
  if (lane == site.lane) return;
  lanes_.moved(site.lane, lane, site.waiting, site.running);
  // Who answers now does not wait among those of whom nobody knows.
  if (site.in_ring) ring_of(lane).splice(ring_of(lane).end(), ring_of(site.lane), site.turn);
  site.lane = lane;
  status_changed_ = true;
}

Sites::Limits Sites::limits_of(const std::string& name) const {
  const Destination& destination = table_.of(destination_of(name));
  if (destination.limit_type == LimitType::mx_ip) return {lanes_.places(), 0, destination.recipient_minutes};
  return {std::min<size_t>(lanes_.places(), destination.max_host_concurrency), destination.recipient_limit,
          destination.recipient_minutes};
}

size_t Sites::most(const Site& site) const {
  return limits_of(*site.name).connections;
}

// Do other sites wait to be tried at all?
bool Sites::others_untried(const Site& site) const {
  const size_t own = site.in_ring && site.lane == Lane::untried ? 1 : 0;
  return rings_.at(static_cast<size_t>(Lane::untried)).size() > own;
}

// For an admitted job of the site. While others wait to be tried at all, one connection shows whether anybody
// is there.
bool Sites::has_place(Site& site, int64_t now) {
  if (site.lane == Lane::untried && site.running > 0 && others_untried(site)) return false;
  const size_t connections = site.back_off.connections(most(site), now);
  const size_t allowed = site.hold.allowed(connections, site.running, now);
  if (allowed < connections) wake_for_hold(site, now);
  return site.running < allowed && lanes_.may_start(site.lane, now);
}

// Once for each such moment.
void Sites::wake_for_hold(Site& site, int64_t now) {
  const int64_t next = site.hold.next(now);
  if (next == site.hold_wake) return;
  site.hold_wake = next;
  wake_at(site, next);
}

// In line, for what may run: more need not be open, and takes the room of other sites' messages.
bool Sites::has_enough(const Site& site, int64_t now) const {
  const size_t jobs = site.waiting + site.running;
  if (site.lane == Lane::probing || (site.lane == Lane::untried && others_untried(site))) return jobs >= 1;
  const size_t row = site.lane == Lane::quick ? kRow : 1;
  return site.waiting >= std::max(row, std::min(site.running, site.back_off.connections(most(site), now)));
}

bool Sites::has_ghosts(Site& site, int64_t now) {
  if (!ghosts_ || site.running > 0) return false;
  if (now < site.ghosts_until) return true;
  if (!site.ghosts || !is_limited(site)) return false;
  const bool first = site.ghosts_until == 0;
  const bool taken = leases_.taken(*site.name);
  site.ghosts = taken;
  if (first && !taken) return false;
  if (!taken) {
    // The last job has ended since we looked: its recipients count from now on, and its connection closes.
    const size_t recipients = site.window.ended_sum();
    site.window.clear_ended();
    site.window.add_ended(recipients, now);
  }
  site.ghosts_until = now + kGhostMilliseconds;
  wake_at(site, site.ghosts_until);
  return true;
}

// Its jobs must be known of in the next process too.
bool Sites::is_limited(const Site& site) const {
  const Limits limits = limits_of(*site.name);
  return limits.connections < lanes_.places() || limits.recipients > 0;
}

Sites::Look Sites::look(const std::string& name, size_t recipients, bool parked, bool open) {
  return look(get(name), recipients, parked, open, now_milliseconds());
}

Sites::Look Sites::look(Site& site, size_t recipients, bool parked, bool open, int64_t now) {
  relane(site, now);
  if (site.lane == Lane::away) return {Admission::away, 0, site.back_off.error()};
  const Look wait{Admission::wait, 0, {}};
  if (!parked && site.parked_count() > 0) return wait;
  if (site.hold.stops(now)) {
    wake_for_hold(site, now);
    return wait;
  }
  // Its own jobs bring it back when they begin or end, and its turn when its lane has room.
  if (has_enough(site, now) || (!open && !lanes_.may_grow(site.lane, now))) return wait;
  if (has_ghosts(site, now)) return wait;
  const Limits limits = limits_of(*site.name);
  if (limits.recipients == 0) return {Admission::go, recipients, {}};
  if (limits_.broken()) {
    wake_at(site, now + kLookMilliseconds);
    return wait;
  }
  const size_t room = site.window.room(limits.recipients, limits.minutes, now);
  if (room > 0) return {Admission::go, std::min(room, recipients), {}};
  wait_for_limit(site, limits, now);
  return wait;
}

void Sites::wait_for_limit(Site& site, const Limits& limits, int64_t now) {
  const int64_t when = site.window.next_room(limits.minutes);
  if (when > now) wake_at(site, when);
}

void Sites::wake_at(Site& site, int64_t when) {
  wakes_.push({when, *site.name});
}

void Sites::admit(const std::string& name, size_t recipients) {
  Site& site = get(name);
  if (limits_of(name).recipients > 0) site.window.reserve(recipients);
  ++site.waiting;
  lanes_.admitted(site.lane, now_milliseconds());
  status_changed_ = true;
}

void Sites::lift(const std::string& name, uint64_t ordered_seconds) {
  get(name).back_off.lift(now_milliseconds(), ordered_seconds);
}

void Sites::reset() {
  const int64_t now = now_milliseconds();
  full_since_ = -1;
  count_from_ = now;
  for (auto& [name, site] : sites_) {
    site.window.clear_ended();
    site.hold.lift();
    site.back_off.lift(now, UINT64_MAX);
    relane(site, now);
    ring(site);
  }
  rewrite_limits(false);
  log_info("Destination limits and back-off are reset by order");
}

bool Sites::park(const std::string& name, uint64_t mid) {
  if (!in_line_.insert(mid).second) return false;
  Site& site = get(name);
  site.parked.push_back(mid);
  status_changed_ = true;
  if (site.parked_count() == 1) ring(site);
  return true;
}

void Sites::ring(Site& site) {
  if (site.parked_count() == 0 || site.in_ring) return;
  relane(site, now_milliseconds());
  site.in_ring = true;
  site.turn = ring_of(site.lane).insert(ring_of(site.lane).end(), &site);
  changed_ = true;
}

std::optional<uint64_t> Sites::take_parked() {
  const int64_t now = now_milliseconds();
  for (; !wakes_.empty() && wakes_.top().when <= now; wakes_.pop()) {
    if (const auto found = sites_.find(wakes_.top().site); found != sites_.end()) ring(found->second);
  }
  // The lanes in turn: whatever takes the room, all have some of it.
  for (size_t tried = 0; tried < kLanes; ++tried) {
    first_ring_ = (first_ring_ + 1) % kLanes;
    if (const std::optional<uint64_t> mid = take_parked_of(static_cast<Lane>(first_ring_), now)) return mid;
  }
  changed_ = false;
  return std::nullopt;
}

std::optional<uint64_t> Sites::take_parked_of(Lane lane, int64_t now) {
  std::list<Site*>& ringed = ring_of(lane);
  for (size_t left = ringed.size(); left > 0 && lanes_.may_grow(lane, now); --left) {
    Site& site = *ringed.front();
    ringed.pop_front();
    site.in_ring = false;
    if (site.parked_count() == 0) continue;
    relane(site, now);
    if (site.lane != lane) {
      ring(site);
      continue;
    }
    if (look(site, 1, true, false, now).admission == Admission::wait) {
      // Its own jobs bring it back when they begin or end, or time does; here that others wait no more.
      if (lane == Lane::untried && site.running > 0) wake_at(site, now + kLookMilliseconds);
      continue;
    }
    const uint64_t mid = take_first(site);
    ring(site);
    // Its row is filled at once, so that one connection serves it; then the others have their turns.
    if (site.in_ring && lane == Lane::quick) ringed.splice(ringed.begin(), ringed, site.turn);
    status_changed_ = true;
    return mid;
  }
  return std::nullopt;
}

uint64_t Sites::take_first(Site& site) {
  const uint64_t mid = site.parked.at(site.parked_from++);
  in_line_.erase(mid);
  if (site.parked_from * 2 > site.parked.size()) {
    site.parked.erase(site.parked.begin(),
                      site.parked.begin() + static_cast<std::ptrdiff_t>(site.parked_from));
    site.parked_from = 0;
    if (site.parked.empty()) site.parked.shrink_to_fit();
  }
  return mid;
}

int64_t Sites::wait(bool has_room) const {
  const int64_t now = now_milliseconds();
  int64_t wait = -1;
  const auto sooner = [&](int64_t when) {
    const int64_t left = std::max<int64_t>(0, when - now);
    wait = wait < 0 ? left : std::min(wait, left);
  };
  const bool in_line =
      std::any_of(rings_.begin(), rings_.end(), [](const std::list<Site*>& lane) { return !lane.empty(); });
  if (in_line && has_room) sooner(changed_ ? now : now + kLookMilliseconds);
  if (!wakes_.empty() && has_room) sooner(wakes_.top().when);
  if (status_changed_) sooner(status_at_);
  if (limits_.wants_rewrite()) sooner(limits_at_);
  return wait;
}

bool Sites::may_start(const std::string& name) {
  Site& site = get(name);
  const int64_t now = now_milliseconds();
  relane(site, now);
  // Admitted before it went away: it is taken back, or comes when the wait is over.
  if (site.lane == Lane::away) return false;
  if (limits_.broken() && limits_of(name).recipients > 0) return false;
  return has_place(site, now);
}

Result<Fd> Sites::prepare(const std::string& name, size_t recipients) {
  Site& site = get(name);
  if (!is_limited(site)) return Fd();
  Result<Fd> lease = leases_.take(name);
  if (!lease || limits_of(name).recipients == 0) return lease;
  if (!limits_.note_out(name, recipients)) return temporary("count recipients of " + printable(name, 255));
  site.window.unreserve(recipients);
  site.window.begin(recipients);
  return lease;
}

void Sites::not_sent(const std::string& name, size_t recipients) {
  Site& site = get(name);
  if (site.window.out() == 0) return;
  site.window.give_back(recipients);
  site.window.reserve(recipients);
  limits_.note_back(name, recipients);
}

void Sites::started(const std::string& name) {
  Site& site = get(name);
  --site.waiting;
  ++site.running;
  lanes_.started(site.lane, now_milliseconds());
  ring(site);
  status_changed_ = true;
}

void Sites::given_back(const std::string& name, size_t recipients) {
  Site& site = get(name);
  --site.waiting;
  lanes_.given_back(site.lane);
  site.window.unreserve(recipients);
  ring(site);
  status_changed_ = changed_ = true;
}

void Sites::count_end(Site& site, const std::vector<RecipientReport>& reports, int64_t now) {
  if (site.window.out() == 0) return;
  if (never_reached(reports)) {
    site.window.give_back(reports.size());
    return limits_.note_back(*site.name, reports.size());
  }
  site.window.end(reports.size(), limits_of(*site.name).minutes, now);
  limits_.note_end(*site.name, reports.size(), site.window.ended().back().when);
}

// True: nothing more may go now.
bool Sites::take_hold(Site& site, const std::vector<RecipientReport>& reports, int64_t now) {
  const RecipientReport* held = first_with(Outcome::held_back, reports);
  if (held == nullptr) {
    site.hold.went();
    return false;
  }
  HeldBack back = held_back_in(held->text);
  site.hold.refused(now, site.running, back.wait, std::move(back.why));
  wake_for_hold(site, now);
  return site.hold.stops(now);
}

Sites::Next Sites::ended(const std::string& name, int64_t took_milliseconds,
                         const std::vector<RecipientReport>& reports) {
  const int64_t now = now_milliseconds();
  Site& site = get(name);
  lanes_.ended(site.lane);
  --site.running;
  count_end(site, reports, now);
  const SiteAnswer answer = site_answer(reports);
  Next next = take_hold(site, reports, now) ? Next::held : Next::more;
  if (answer == SiteAnswer::answered) {
    const bool was_away = site.back_off.next_attempt() != 0;
    usual_ += took_milliseconds * 16 > usual_ ? usual_ / 48 + 1 : -(usual_ / 16);
    site.back_off.answered(took_milliseconds, usual_ / 16, most(site));
    if (was_away) log_info("Site " + printable(name, 255) + " answers again");
  } else if (answer == SiteAnswer::failed) {
    const bool was_away = site.back_off.next_attempt() != 0;
    const std::string& why = first_with(Outcome::temporary, reports)->text;
    const bool went = site.back_off.failed(now, now_seconds(), site.running, why, waits_);
    if (went) next = Next::away;
    if (went && !was_away) log_info("Site " + printable(name, 255) + " is away: " + site.back_off.error());
  }
  relane(site, now);
  if (site.lane == Lane::quick && answer == SiteAnswer::answered) lanes_.answered_quickly(now);
  ring(site);
  status_changed_ = changed_ = true;
  return next;
}

}  // namespace postern
