#include "remote/address_limits.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "lib/child.h"
#include "lib/log.h"
#include "lib/recipient_window.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr int64_t kPlaceMilliseconds = 1000;  // until it is worth to look for a place again
constexpr int64_t kFullMilliseconds = 5000;   // the same for a slot of the table
constexpr int64_t kWantedMilliseconds =
    12000;                                   // one that was refused counts as waiting: SiteHold asks in 8 s
constexpr int64_t kTurnMilliseconds = 5000;  // a connection has them before it makes room for another site
constexpr size_t kMostRecipients = 255;      // of a job in LimitSlot::out; send gives 100 at most
constexpr int64_t kStep = 1000;              // milliseconds: ends are rounded up to it
constexpr unsigned kStepMinutes = 1;         // of which a step is a sixtieth, for RecipientWindow

int64_t wall_milliseconds() {
  return static_cast<int64_t>(now_microseconds() / 1000);
}

Failure uncounted(const Failure& why) {
  return temporary("count what goes to an address with a limit: " + why.text, 0, "4.3.0");
}

// Without the gateway: senders are told of it where their mail expires.
std::string limit_text(std::string_view parameter, unsigned value, const AddressLimit& limit) {
  return "4.4.5 " + std::string(parameter) + "=" + std::to_string(value) + " is reached for " +
         printable(limit.key.substr(0, limit.key.find(' ')), 255);
}

unsigned places_of(const AddressLimit& limit) {
  return std::clamp(limit.connections, 1U, kMostPlaces);
}

// What is that old counts only where the minutes are more: a twentieth of it is fine enough. Each step holds
// a whole number of those before it, so nothing is rounded up twice.
int64_t step_of(int64_t age) {
  int64_t step = kStep;
  for (int64_t from = 60000, longer = 3 * kStep; age >= from; from *= 2, longer *= 2) step = longer;
  return step;
}

// At most 62 ends within the last minute, 21 in each of the five steps up to 32, and 19 behind.
static_assert(LimitSlot::kEnds >= 62 + 5 * 21 + 19);

RecipientWindow coarse(const RecipientWindow& window, int64_t now) {
  RecipientWindow made;
  for (const RecipientWindow::Ended& ended : window.ended()) {
    const int64_t step = step_of(now - ended.when);
    made.add_ended(ended.recipients, (ended.when + step - 1) / step * step);
  }
  return made;
}

}  // namespace

struct AddressLimits::Counts {
  size_t index;  // of the slot
  LimitSlot slot;
  RecipientWindow window;
  bool changed = false;  // so that it must be stored, whoever is refused

  // The job of a place has ended.
  void end(unsigned place, int64_t now) {
    window.end(std::exchange(slot.out.at(place), uint8_t{0}), kStepMinutes, now);
  }
};

Result<AddressLimits::Counts> AddressLimits::load(size_t slot, int64_t now) {
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
  for (size_t i = 0; i < content.end_count; ++i) {
    const int64_t when = std::min(content.when.at(i) * kStep, now + kStep);
    counts.window.add_ended(content.recipients.at(i), same_boot ? when : written);
  }
  content.reset = same_boot ? std::min(content.reset, now) : 0;
  if (!same_boot) {
    counts.window.end(out, kStepMinutes, written);
    content.out.fill(0);
    content.wanted_by = 0;
  }
  counts.window.forget(now - kLongestWindow);
  if (counts.window.empty()) content.minutes = 0;
  return counts;
}

Result<void> AddressLimits::store(const Counts& counts) {
  LimitSlot slot = counts.slot;
  slot.boot = table_.boot();
  slot.written = wall_milliseconds();
  slot.end_count = 0;
  const bool fits = counts.window.ended().size() <= LimitSlot::kEnds;
  const RecipientWindow window = fits ? counts.window : coarse(counts.window, now_milliseconds());
  for (const RecipientWindow::Ended& ended : window.ended()) {
    if (slot.end_count == LimitSlot::kEnds) break;  // cannot be: see coarse
    slot.when.at(slot.end_count) = static_cast<uint32_t>((ended.when + kStep - 1) / kStep);
    slot.recipients.at(slot.end_count++) =
        static_cast<uint32_t>(std::min<size_t>(ended.recipients, UINT32_MAX));
  }
  return table_.write(counts.index, slot);
}

// Jobs of workers that were killed.
void AddressLimits::sweep(Counts& counts, int64_t now) {
  for (unsigned place = 0; place < kMostPlaces; ++place) {
    const bool ours = has_place_ && counts.index == slot_ && place == place_;
    if (counts.slot.out.at(place) == 0 || ours || table_.is_taken(counts.index, place, 1)) continue;
    counts.end(place, now);
    counts.changed = true;
  }
}

AddressLimits::Verdict AddressLimits::room(Counts& counts, const AddressLimit& limit, size_t recipients,
                                           int64_t now) {
  if (const int64_t from = std::min(limit.count_from, now); from > counts.slot.reset) {
    counts.window.forget(from + kStep);  // they are rounded up
    counts.slot.reset = from;
    counts.changed = true;
  }
  if (limit.recipients == 0) return {recipients, 0, {}};
  if (limit.minutes > counts.slot.minutes) {
    counts.slot.minutes = static_cast<uint16_t>(limit.minutes);
    counts.changed = true;
  }
  // Others that share the address may count for longer.
  RecipientWindow own = counts.window;
  if (const size_t room = own.room(limit.recipients, limit.minutes, now); room > 0)
    return {std::min({room, recipients, kMostRecipients}), 0, {}};
  sweep(counts, now);
  own = counts.window;
  (void)own.room(limit.recipients, limit.minutes, now);
  const int64_t next = own.next_room(limit.minutes);
  return {0, std::max(kPlaceMilliseconds, next - now),
          limit_text("recipient_limit", limit.recipients, limit)};
}

bool AddressLimits::is_wanted_by_another(const LimitSlot& slot, uint64_t site, int64_t now) const {
  return slot.boot == table_.boot() && slot.wanted_by != 0 && slot.wanted_by != site &&
         now < slot.wanted_until && slot.wanted_until <= now + kWantedMilliseconds;
}

// Connections to the address with the one that is asked for. Where another site waits, the lower limit of the
// two holds, and the last place is the other's: else the lower one would never have its turn.
unsigned AddressLimits::most_places(const LimitSlot& slot, const AddressLimit& limit, int64_t now) const {
  const unsigned own = places_of(limit);
  if (!is_wanted_by_another(slot, has_place_ ? site_ : table_.hash(limit.site), now)) return own;
  return std::min(own, std::max<unsigned>(1, slot.wanted_limit)) - 1;
}

// A place, taken; -1: there is none. What a higher limit has let in counts too.
int AddressLimits::free_place(const Counts& counts, const AddressLimit& limit, int64_t now) {
  const unsigned most = most_places(counts.slot, limit, now);
  if (table_.count_taken(counts.index, most) >= most) return -1;
  for (unsigned place = 0; place < most; ++place) {
    if (table_.take_place(counts.index, place)) return static_cast<int>(place);
  }
  return -1;
}

// Has its connection had its time, and another site waits that finds no place beside it?
bool AddressLimits::must_make_room(const AddressLimit& limit, int64_t now) {
  if (now - since_ < kTurnMilliseconds) return false;
  const Result<LimitSlot> slot = table_.read(slot_);
  if (!slot || !is_wanted_by_another(*slot, site_, now)) return false;
  const unsigned most = most_places(*slot, limit, now);
  return table_.count_taken(slot_, most) >= most;
}

bool AddressLimits::has_any_place(const Counts& counts, uint64_t site) {
  for (unsigned place = 0; place < kMostPlaces; ++place) {
    if (counts.slot.site_of(place) == LimitSlot::bits_of(site) && table_.is_taken(counts.index, place, 1))
      return true;
  }
  return false;
}

Result<AddressLimits::Verdict> AddressLimits::refuse_recipients(const Counts& counts,
                                                                const Verdict& verdict) {
  Result<void> stored = counts.changed ? store(counts) : Result<void>();
  return stored ? Result<Verdict>(verdict) : Result<Verdict>(uncounted(stored.failure()));
}

Result<AddressLimits::Verdict> AddressLimits::refuse_place(Counts& counts, const AddressLimit& limit,
                                                           int64_t now) {
  const uint64_t site = table_.hash(limit.site);
  // One that has a place already is not the one that waits.
  if (table_.boot() != 0 && !is_wanted_by_another(counts.slot, site, now) && !has_any_place(counts, site)) {
    counts.slot.wanted_by = site;
    counts.slot.wanted_until = now + kWantedMilliseconds;
    counts.slot.wanted_limit = static_cast<uint16_t>(places_of(limit));
    counts.changed = true;
  }
  return refuse_recipients(
      counts, {0, kPlaceMilliseconds, limit_text("max_host_concurrency", limit.connections, limit)});
}

// Under the row's lock: noted before anything is said to the server.
Result<void> AddressLimits::reserve(Counts& counts, size_t recipients) {
  counts.slot.out.at(place_) = static_cast<uint8_t>(recipients);
  if (Result<void> stored = store(counts); !stored) return stored;
  reserved_ = recipients;
  return {};
}

Result<AddressLimits::Verdict> AddressLimits::take_place(Counts& counts, const AddressLimit& limit,
                                                         const Verdict& verdict, int64_t now) {
  const int place = free_place(counts, limit, now);
  if (place < 0) return refuse_place(counts, limit, now);
  has_place_ = true;
  key_ = table_.hash(limit.key);
  site_ = table_.hash(limit.site);
  slot_ = counts.index;
  place_ = static_cast<unsigned>(place);
  since_ = now;
  if (counts.slot.wanted_by == site_) counts.slot.wanted_by = 0;
  counts.slot.set_site(place_, site_);
  counts.end(place_, now);
  if (Result<void> reserved = reserve(counts, limit.recipients > 0 ? verdict.recipients : 0); !reserved)
    return uncounted(reserved.failure());
  return verdict;
}

// What was reserved holds after loss of power.
Result<AddressLimits::Verdict> AddressLimits::synced(const Verdict& verdict) {
  Result<void> synced = reserved_ > 0 ? table_.sync() : Result<void>();
  return synced ? Result<Verdict>(verdict) : Result<Verdict>(uncounted(synced.failure()));
}

Result<AddressLimits::Verdict> AddressLimits::enter(const AddressLimit& limit, size_t recipients) {
  leave();
  if (!table_.is_open()) {
    if (Result<void> opened = table_.open(); !opened) return uncounted(opened.failure());
  }
  const int64_t now = now_milliseconds();
  const uint64_t key = table_.hash(limit.key);
  Result<Verdict> verdict{Verdict{}};
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
    Result<Counts> counts = load(**slot, now);
    if (!counts) return uncounted(counts.failure());
    verdict = room(*counts, limit, recipients, now);
    if (verdict->recipients == 0) return refuse_recipients(*counts, *verdict);
    verdict = take_place(*counts, limit, *verdict, now);
  }
  if (verdict) verdict = synced(*verdict);
  if (!verdict) leave();
  return verdict;
}

bool AddressLimits::stays(const AddressLimit& limit) const {
  return has_place_ && key_ == table_.hash(limit.key) && place_ < places_of(limit);
}

Result<AddressLimits::Verdict> AddressLimits::go_on(const AddressLimit& limit, size_t recipients) {
  const int64_t now = now_milliseconds();
  if (must_make_room(limit, now))
    return Verdict{0, kPlaceMilliseconds, limit_text("max_host_concurrency", limit.connections, limit)};
  if (limit.recipients == 0) return Verdict{recipients, 0, {}};
  Verdict verdict;
  {
    Result<LimitTable::Row> row = table_.lock(key_);
    if (!row) return uncounted(row.failure());
    Result<Counts> counts = load(slot_, now);
    if (!counts) return uncounted(counts.failure());
    verdict = room(*counts, limit, recipients, now);
    if (verdict.recipients == 0) return refuse_recipients(*counts, verdict);
    if (Result<void> reserved = reserve(*counts, verdict.recipients); !reserved)
      return uncounted(reserved.failure());
  }
  return synced(verdict);
}

void AddressLimits::settle(bool named) {
  if (!has_place_ || reserved_ == 0) return;
  const int64_t now = now_milliseconds();
  Result<LimitTable::Row> row = table_.lock(key_);
  Result<Counts> counts = row ? load(slot_, now) : Result<Counts>(row.failure());
  Result<void> stored = counts ? Result<void>() : Result<void>(counts.failure());
  if (counts) {
    if (named) {
      counts->end(place_, now);
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
