// Counters with windows that slide, for many keys. `Counters` is what postern-rated asks; a store that many
// gateways share can take the place of the one in memory.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "receipt/rate_check.h"

namespace postern {

class Counters {
 public:
  Counters() = default;
  Counters(const Counters&) = delete;
  Counters& operator=(const Counters&) = delete;
  virtual ~Counters() = default;

  // The takes and looks among the checks: all takes are counted, or none is. Slots are left to the caller.
  virtual RateAnswer ask(std::span<const RateCheck> checks, uint64_t now_seconds) = 0;
  // The check, of a calendar day and over its limit: true once a day for each name and key.
  virtual bool first_over_today(const RateCheck& check, uint64_t now_seconds) = 0;
};

// What was counted within a window. The window is cut into kSlices, and one more is kept: so it never lets
// more than the limit through within any span of its length, and forgets at the latest a slice too late.
// With slice_seconds 0 it is that of one calendar day.
struct Count {
  static constexpr uint32_t kSlices = 12;
  static constexpr size_t kKept = kSlices + 1;

  uint32_t slice_seconds = 0;
  uint32_t newest = 0;  // the slice that was counted in last: time / slice_seconds; or the day since 1970
  std::array<uint32_t, kKept> counts{};  // slice % kKept; of a day the first, and whether it was told of

  static Count of_window(uint32_t seconds);
  void move_to(uint64_t now_seconds);  // forgets what is too old
  [[nodiscard]] uint64_t sum() const;  // as of the last move
  void add();
  [[nodiscard]] bool over_by(uint64_t now_seconds) const;  // nothing of it counts any more
};

struct CounterKey {
  uint64_t low = 0;
  uint64_t high = 0;
  bool operator==(const CounterKey&) const = default;
};

// In memory: about 120 bytes a key, whatever its length, since only a hash of it is kept.
class MemoryCounters : public Counters {
 public:
  // With `most_keys` kept, a new one takes the place of a small and idle one.
  explicit MemoryCounters(size_t most_keys, uint64_t seed) : most_keys_(most_keys), seed_(seed) {}

  RateAnswer ask(std::span<const RateCheck> checks, uint64_t now_seconds) override;
  bool first_over_today(const RateCheck& check, uint64_t now_seconds) override;

  // Forgets what is over in the next 1/`share` of the table.
  void sweep(uint64_t now_seconds, size_t share);
  [[nodiscard]] size_t size() const { return counts_.size(); }

  // The state file (doc/INTERNALS.md). A broken one is a failure, and changes nothing.
  [[nodiscard]] std::string encode() const;
  Result<void> decode(std::string_view bytes, uint64_t now_seconds);

 private:
  struct Hash {
    size_t operator()(const CounterKey& key) const noexcept { return key.low; }
  };
  using Table = std::unordered_map<CounterKey, Count, Hash>;

  [[nodiscard]] CounterKey key_of(const RateCheck& check) const;
  Count& count_for(const CounterKey& key, const RateCheck& check, uint64_t now_seconds);
  void make_room(uint64_t now_seconds);

  size_t most_keys_;
  uint64_t seed_;
  Table counts_;
  size_t hand_ = 0;  // the bucket that is swept next
};

// The calendar day of local time, in days since 1970.
uint32_t day_number(uint64_t now_seconds);

}  // namespace postern
