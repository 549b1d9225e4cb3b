// How the places (connections to all sites together) are shared between sites by how they answer, so that
// those that fail, are slow, or have yet to say a word take none from those that answer. Pure: the caller
// tells the time, in milliseconds of a clock that does not jump.
//
// A job holds its place until it ends, and nobody can take it away: what matters is how many may begin. While
// there are quick sites (one has answered within a minute) all others together have three quarters of the
// places, slow ones a quarter (half while there is no mail for quick ones), probes an eighth; while quick
// ones have to wait for places, all others half, slow ones and probes a tenth each. So with all sites known
// four fifths are for those that answer. Without quick sites all is anybody's, but for probes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace postern {

enum class Lane : uint8_t { away, quick, untried, slow, probing };
constexpr size_t kLanes = 5;

class Lanes {
 public:
  void configure(size_t places) { places_ = places; }
  [[nodiscard]] size_t places() const { return places_; }

  void admitted(Lane lane, int64_t now);
  void given_back(Lane lane) { --of(lane).jobs; }
  void started(Lane lane, int64_t now);
  void ended(Lane lane);
  // A site with so many jobs went from one to the other.
  void moved(Lane from, Lane to, size_t waiting, size_t running);
  // A job of a quick site has ended.
  void answered_quickly(int64_t now);

  // A waiting job: may it begin?
  [[nodiscard]] bool may_start(Lane lane, int64_t now) const { return of(lane).running < share(lane, now); }
  // In line and out; what waits longer need not be open for it.
  [[nodiscard]] bool may_grow(Lane lane, int64_t now) const;
  // Jobs that may be in line and out together: messages that must have room to be open.
  static size_t most_jobs(size_t places) { return places * 7 / 2 + kSpare * kLanes; }

 private:
  static constexpr size_t kSpare = 4;
  struct Count {
    size_t jobs = 0;  // waiting and running
    size_t running = 0;
  };
  Count& of(Lane lane) { return counts_.at(static_cast<size_t>(lane)); }
  [[nodiscard]] const Count& of(Lane lane) const { return counts_.at(static_cast<size_t>(lane)); }
  [[nodiscard]] size_t share(Lane lane, int64_t now) const;
  void look_for_scarcity(int64_t now);

  size_t places_ = 0;
  std::array<Count, kLanes> counts_{};
  int64_t quick_until_ = 0;   // there are quick sites
  int64_t scarce_until_ = 0;  // and they have waited for places
};

}  // namespace postern
