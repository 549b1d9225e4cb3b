#include "queue/lanes.h"

#include <algorithm>
#include <numeric>

namespace postern {

namespace {
constexpr int64_t kQuickMilliseconds = 60000;
constexpr int64_t kScarceMilliseconds = 3000;
}  // namespace

void Lanes::admitted(Lane lane, int64_t now) {
  ++of(lane).jobs;
  look_for_scarcity(now);
}

void Lanes::started(Lane lane, int64_t now) {
  ++of(lane).running;
  look_for_scarcity(now);
}

void Lanes::ended(Lane lane) {
  --of(lane).jobs;
  --of(lane).running;
}

void Lanes::moved(Lane from, Lane to, size_t waiting, size_t running) {
  of(from).jobs -= waiting + running;
  of(from).running -= running;
  of(to).jobs += waiting + running;
  of(to).running += running;
}

void Lanes::answered_quickly(int64_t now) {
  quick_until_ = now + kQuickMilliseconds;
}

void Lanes::look_for_scarcity(int64_t now) {
  const Count& quick = of(Lane::quick);
  if (quick.jobs == quick.running) return;
  const size_t taken = std::accumulate(counts_.begin(), counts_.end(), size_t{0},
                                       [](size_t sum, const Count& count) { return sum + count.running; });
  if (taken >= places_) scarce_until_ = now + kScarceMilliseconds;
}

size_t Lanes::share(Lane lane, int64_t now) const {
  const bool there_are_quick = now < quick_until_;
  const bool scarce = now < scarce_until_;
  switch (lane) {
    case Lane::probing:
      return std::max<size_t>(1, places_ / (scarce ? 10 : 8));
    case Lane::slow:
      if (!there_are_quick) return places_;
      return std::max<size_t>(1, places_ / (scarce ? 10 : of(Lane::quick).jobs > 0 ? 4 : 2));
    case Lane::untried: {
      if (!there_are_quick) return places_;
      // Quick jobs are short: what they leave free finds out who else is quick.
      const size_t together = scarce ? places_ / 2 : places_ - places_ / 4;
      const size_t others = of(Lane::slow).running + of(Lane::probing).running;
      return std::max<size_t>(1, together - std::min(others, together));
    }
    default:
      return places_;
  }
}

bool Lanes::may_grow(Lane lane, int64_t now) const {
  const size_t most = share(lane, now);
  return lane == Lane::away || of(lane).jobs < most + most / 2 + kSpare;
}

}  // namespace postern
