#include "remote/address_limits.h"

#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "lib/child.h"
#include "lib/log.h"
#include "lib/recipient_window.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr int64_t kPlaceMilliseconds = 1000;   // until it is worth to look for a place again
constexpr int64_t kFullMilliseconds = 5000;    // the same for a slot of the table
constexpr int64_t kWantedMilliseconds = 3000;  // for which one that was refused counts as waiting
constexpr int64_t kTurnMilliseconds = 5000;    // a connection has them before it makes room for another site
constexpr size_t kMostRecipients = 255;        // of a job in LimitSlot::out; send gives 100 at most

int64_t wall_milliseconds() {
  return static_cast<int64_t>(now_microseconds() / 1000);
}

Failure uncounted(const Failure& why) {
  return temporary("count what goes to an address with a limit: " + why.text, 0, "4.3.0");
}

std::string limit_text(std::string_view parameter, unsigned value, const AddressLimit& limit) {
  return "4.4.5 " + std::string(parameter) + "=" + std::to_string(value) + " is reached for " +
         printable(limit.key, 255);
}

unsigned places_of(const AddressLimit& limit) {
  return std::clamp(limit.connections, 1U, kMostPlaces);
}

}  // namespace

struct AddressLimits::Counts {
  size_t index;  // of the slot
  LimitSlot slot;
  RecipientWindow window;
};

Result<AddressLimits::Counts> AddressLimits::load(size_t slot, unsigned minutes, int64_t now) {
  Result<LimitSlot> read = table_.read(slot);
  if (!read) return read.failure();
  Counts counts{slot, *read, {}};
  LimitSlot& content = counts.slot;
  size_t out = 0;
  for (const uint8_t recipients : content.out) out += recipients;
  counts.window.begin(out);
  const bool same_boot = content.boot != 0 && content.boot == table_.boot();
  // When that was, by our clock: not before this boot.
  const int64_t written = std::clamp<int64_t>(now - (wall_milliseconds() - content.written), 0, now);
  for (size_t i = 0; i < std::min<size_t>(content.end_count, LimitSlot::kEnds); ++i) {
    // Rounded up it is ahead of the clock by a step, at most a minute.
    const int64_t when = std::min(content.when.at(i), now + 60000);
    counts.window.add_ended(content.recipients.at(i), same_boot ? when : written);
  }
  if (same_boot) return counts;
  counts.window.end(out, minutes, written);
  content.out.fill(0);
  content.wanted_by = 0;
  content.reset = 0;
  return counts;
}

Result<void> AddressLimits::store(const Counts& counts) {
  LimitSlot slot = counts.slot;
  slot.boot = table_.boot();
  slot.written = wall_milliseconds();
  slot.end_count = 0;
  // With other minutes than before there may be more than fit: then the first ones count somewhat longer.
  const std::vector<RecipientWindow::Ended>& ended = counts.window.ended();
  const size_t merged = ended.size() > LimitSlot::kEnds ? ended.size() - LimitSlot::kEnds : 0;
  uint32_t carried = 0;
  for (size_t i = 0; i < ended.size(); ++i) {
    carried += static_cast<uint32_t>(ended[i].recipients);
    if (i < merged) continue;
    slot.when.at(slot.end_count) = ended[i].when;
    slot.recipients.at(slot.end_count++) = std::exchange(carried, 0);
  }
  return table_.write(counts.index, slot);
}

void AddressLimits::end(Counts& counts, unsigned place, unsigned minutes, int64_t now) const {
  counts.window.end(std::exchange(counts.slot.out.at(place), uint8_t{0}), minutes, now);
}

// Jobs of workers that were killed.
void AddressLimits::sweep(Counts& counts, unsigned minutes, int64_t now) {
  for (unsigned place = 0; place < kMostPlaces; ++place) {
    const bool ours = has_place_ && counts.index == slot_ && place == place_;
    if (counts.slot.out.at(place) > 0 && !ours && !table_.is_taken(counts.index, place, 1))
      end(counts, place, minutes, now);
  }
}

AddressLimits::Verdict AddressLimits::room(Counts& counts, const AddressLimit& limit, size_t recipients,
                                           int64_t now) {
  if (limit.count_from > counts.slot.reset) {
    counts.window.clear_ended();
    counts.slot.reset = limit.count_from;
  }
  if (limit.recipients == 0) return {recipients, 0, {}};
  if (const size_t room = counts.window.room(limit.recipients, limit.minutes, now); room > 0)
    return {std::min({room, recipients, kMostRecipients}), 0, {}};
  sweep(counts, limit.minutes, now);
  const int64_t next = counts.window.next_room(limit.minutes);
  return {0, std::max(kPlaceMilliseconds, next - now),
          limit_text("recipient_limit", limit.recipients, limit)};
}

bool AddressLimits::is_wanted_by_another(const LimitSlot& slot, uint64_t site, int64_t now) const {
  return slot.boot == table_.boot() && slot.wanted_by != 0 && slot.wanted_by != site &&
         now < slot.wanted_until && slot.wanted_until <= now + kWantedMilliseconds;
}

// A place, taken; -1: there is none. The last one is for another site where one waits.
int AddressLimits::free_place(const Counts& counts, const AddressLimit& limit, int64_t now) {
  const unsigned places = places_of(limit);
  // What a higher limit has let in counts too.
  if (table_.is_taken(counts.index, places, kMostPlaces - places)) return -1;
  const auto first = static_cast<unsigned>(::getpid());
  int found = -1;
  for (unsigned i = 0; i < places; ++i) {
    const unsigned place = (first + i) % places;
    if (!table_.take_place(counts.index, place)) continue;
    if (found >= 0) {
      table_.leave_place(counts.index, place);
      return found;
    }
    found = static_cast<int>(place);
    if (!is_wanted_by_another(counts.slot, limit_hash(limit.site), now)) return found;
  }
  if (found >= 0) table_.leave_place(counts.index, static_cast<unsigned>(found));
  return -1;
}

// Beside our own; whoever waits will find it.
bool AddressLimits::has_free_place(const AddressLimit& limit) {
  for (unsigned place = 0; place < places_of(limit); ++place) {
    if (place != place_ && !table_.is_taken(slot_, place, 1)) return true;
  }
  return false;
}

bool AddressLimits::has_any_place(const Counts& counts, uint64_t site) {
  for (unsigned place = 0; place < kMostPlaces; ++place) {
    if (counts.slot.sites.at(place) == static_cast<uint8_t>(site) && table_.is_taken(counts.index, place, 1))
      return true;
  }
  return false;
}

Result<AddressLimits::Verdict> AddressLimits::refuse_place(Counts& counts, const AddressLimit& limit,
                                                           int64_t now) {
  const uint64_t site = limit_hash(limit.site);
  // One that has a place already is not the one that waits.
  if (!is_wanted_by_another(counts.slot, site, now) && !has_any_place(counts, site)) {
    counts.slot.wanted_by = site;
    counts.slot.wanted_until = now + kWantedMilliseconds;
    if (Result<void> stored = store(counts); !stored) return uncounted(stored.failure());
  }
  return Verdict{0, kPlaceMilliseconds, limit_text("max_host_concurrency", limit.connections, limit)};
}

// Under the row's lock: noted before anything is said to the server.
Result<void> AddressLimits::reserve(Counts& counts, size_t recipients) {
  counts.slot.out.at(place_) = static_cast<uint8_t>(recipients);
  if (Result<void> stored = store(counts); !stored) return stored;
  reserved_ = recipients;
  return {};
}

Result<AddressLimits::Verdict> AddressLimits::enter(const AddressLimit& limit, size_t recipients) {
  leave();
  if (!table_.is_open()) {
    if (Result<void> opened = table_.open(); !opened) return uncounted(opened.failure());
  }
  const int64_t now = now_milliseconds();
  const uint64_t key = limit_hash(limit.key);
  Verdict verdict;
  {
    Result<LimitTable::Row> row = table_.lock(key);
    if (!row) return uncounted(row.failure());
    Result<std::optional<size_t>> slot = table_.find(*row, key, now);
    if (!slot) return uncounted(slot.failure());
    if (!*slot) {
      log_warning("count what goes to " + printable(limit.key, 255) + ", holding it back",
                  "too many addresses with a limit are in use");
      return Verdict{0, kFullMilliseconds, "4.4.5 too many addresses with a limit are in use"};
    }
    Result<Counts> counts = load(**slot, limit.minutes, now);
    if (!counts) return uncounted(counts.failure());
    verdict = room(*counts, limit, recipients, now);
    if (verdict.recipients == 0) {
      Result<void> stored = store(*counts);
      return stored ? Result<Verdict>(verdict) : Result<Verdict>(uncounted(stored.failure()));
    }
    const int place = free_place(*counts, limit, now);
    if (place < 0) return refuse_place(*counts, limit, now);
    has_place_ = true;
    key_ = key;
    site_ = limit_hash(limit.site);
    slot_ = **slot;
    place_ = static_cast<unsigned>(place);
    minutes_ = limit.minutes;
    since_ = now;
    if (counts->slot.wanted_by == site_) counts->slot.wanted_by = 0;
    counts->slot.sites.at(place_) = static_cast<uint8_t>(site_);
    end(*counts, place_, minutes_, now);
    if (Result<void> reserved = reserve(*counts, limit.recipients > 0 ? verdict.recipients : 0); !reserved) {
      leave();
      return uncounted(reserved.failure());
    }
  }
  if (reserved_ == 0) return verdict;
  if (Result<void> synced = table_.sync(); !synced) {
    leave();
    return uncounted(synced.failure());
  }
  return verdict;
}

bool AddressLimits::stays(const AddressLimit& limit) const {
  return has_place_ && key_ == limit_hash(limit.key) && place_ < places_of(limit);
}

Result<AddressLimits::Verdict> AddressLimits::go_on(const AddressLimit& limit, size_t recipients) {
  const int64_t now = now_milliseconds();
  if (now - since_ >= kTurnMilliseconds && is_wanted() && !has_free_place(limit))
    return Verdict{0, kPlaceMilliseconds, limit_text("max_host_concurrency", limit.connections, limit)};
  if (limit.recipients == 0) return Verdict{recipients, 0, {}};
  Verdict verdict;
  {
    Result<LimitTable::Row> row = table_.lock(key_);
    if (!row) return uncounted(row.failure());
    Result<Counts> counts = load(slot_, limit.minutes, now);
    if (!counts) return uncounted(counts.failure());
    verdict = room(*counts, limit, recipients, now);
    minutes_ = limit.minutes;
    if (Result<void> reserved = reserve(*counts, verdict.recipients); !reserved)
      return uncounted(reserved.failure());
  }
  if (reserved_ == 0) return verdict;
  if (Result<void> synced = table_.sync(); !synced) return uncounted(synced.failure());
  return verdict;
}

void AddressLimits::settle(bool named) {
  if (!has_place_ || reserved_ == 0) return;
  const int64_t now = now_milliseconds();
  Result<LimitTable::Row> row = table_.lock(key_);
  Result<Counts> counts = row ? load(slot_, minutes_, now) : Result<Counts>(row.failure());
  Result<void> stored = counts ? Result<void>() : Result<void>(counts.failure());
  if (counts) {
    if (named) {
      end(*counts, place_, minutes_, now);
    } else {
      counts->window.give_back(std::exchange(counts->slot.out.at(place_), uint8_t{0}));
    }
    stored = store(*counts);
  }
  // What could not be noted goes on counting as out, until the place is taken anew or looked for.
  if (!stored) log_warning("count what went to an address with a limit", stored.failure());
  reserved_ = 0;
}

void AddressLimits::leave() {
  if (!has_place_) return;
  settle(false);
  table_.leave_place(slot_, place_);
  has_place_ = false;
}

bool AddressLimits::is_wanted() {
  if (!has_place_) return false;
  const Result<LimitSlot> slot = table_.read(slot_);
  return slot && is_wanted_by_another(*slot, site_, now_milliseconds());
}

}  // namespace postern
