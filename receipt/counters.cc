#include "receipt/counters.h"

#include <time.h>

#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

namespace postern {

namespace {

constexpr size_t kSeenForRoom = 8;  // of so many keys the smallest makes room
constexpr size_t kTold = 1;         // of a day's counts: whether somebody was told that it is over

constexpr std::string_view kMagic = "postern-rated 1\n";
constexpr size_t kHeadBytes = kMagic.size() + 2 * sizeof(uint64_t);  // seed, number of keys
constexpr size_t kEntryBytes = 2 * sizeof(uint64_t) + (2 + Count::kKept) * sizeof(uint32_t);
constexpr size_t kSumBytes = sizeof(uint64_t);

template <typename Number>
void append_number(std::string& bytes, Number number) {
  bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
}
template <typename Number>
Number cut_number(std::string_view& bytes) {
  Number number{};
  std::memcpy(&number, bytes.data(), sizeof number);
  bytes.remove_prefix(sizeof number);
  return number;
}

bool holds(const RateCheck& check) {
  return check.what != RateCheck::What::slot;
}

}  // namespace

uint32_t day_number(uint64_t now_seconds) {
  const time_t seconds = static_cast<time_t>(now_seconds);
  tm local{};
  ::localtime_r(&seconds, &local);
  return static_cast<uint32_t>((seconds + local.tm_gmtoff) / 86400);
}

Count Count::of_window(uint32_t seconds) {
  Count count;
  count.slice_seconds = seconds == kRateDay ? 0 : (seconds + kSlices - 1) / kSlices;
  return count;
}

// A clock that was set back counts on in the newest slice; one that had been far ahead begins anew.
void Count::move_to(uint64_t now_seconds) {
  const uint64_t now = slice_seconds == 0 ? day_number(now_seconds) : now_seconds / slice_seconds;
  const bool far_ahead = newest > now + (slice_seconds == 0 ? 1 : kKept);
  if (now <= newest && !far_ahead) return;
  if (slice_seconds == 0 || far_ahead || now - newest >= kKept) {
    counts.fill(0);
  } else {
    for (uint64_t slice = newest + uint64_t{1}; slice <= now; ++slice) counts[slice % kKept] = 0;
  }
  newest = static_cast<uint32_t>(now);
}

uint64_t Count::sum() const {
  if (slice_seconds == 0) return counts[0];
  return std::accumulate(counts.begin(), counts.end(), uint64_t{0});
}

void Count::add() {
  uint32_t& count = counts[slice_seconds == 0 ? 0 : newest % kKept];
  if (count != UINT32_MAX) ++count;
}

bool Count::over_by(uint64_t now_seconds) const {
  if (slice_seconds == 0) return newest != day_number(now_seconds);
  const uint64_t now = now_seconds / slice_seconds;
  return now >= newest + uint64_t{kKept} || newest > now + kKept;
}

CounterKey MemoryCounters::key_of(const RateCheck& check) const {
  // A name has no NUL, so no two of name, window and key read alike.
  std::string text = check.name;
  text.push_back('\0');
  append_number(text, check.seconds);
  text += check.key;
  const XXH128_hash_t hash = XXH3_128bits_withSeed(text.data(), text.size(), seed_);
  return {.low = hash.low64, .high = hash.high64};
}

Count& MemoryCounters::count_for(const CounterKey& key, const RateCheck& check, uint64_t now_seconds) {
  const auto found = counts_.find(key);
  if (found != counts_.end()) return found->second;
  if (counts_.size() >= most_keys_) make_room(now_seconds);
  return counts_.emplace(key, Count::of_window(check.seconds)).first->second;
}

// Keys that anybody can make up must not fill the memory, nor drive those out that are counted high.
void MemoryCounters::make_room(uint64_t now_seconds) {
  const CounterKey* smallest = nullptr;
  uint64_t smallest_sum = UINT64_MAX;
  size_t seen = 0;
  for (size_t tried = 0; tried < counts_.bucket_count() && seen < kSeenForRoom; ++tried) {
    hand_ = (hand_ + 1) % counts_.bucket_count();
    for (auto at = counts_.begin(hand_); at != counts_.end(hand_); ++at, ++seen) {
      const uint64_t sum = at->second.over_by(now_seconds) ? 0 : at->second.sum();
      if (sum >= smallest_sum) continue;
      smallest = &at->first;
      smallest_sum = sum;
    }
  }
  if (smallest != nullptr) counts_.erase(CounterKey(*smallest));
}

RateAnswer MemoryCounters::ask(std::span<const RateCheck> checks, uint64_t now_seconds) {
  std::array<CounterKey, kRateChecks> keys{};
  for (size_t i = 0; i < checks.size() && i < keys.size(); ++i) {
    if (!holds(checks[i])) continue;
    keys[i] = key_of(checks[i]);
    const auto found = counts_.find(keys[i]);
    if (found == counts_.end() || checks[i].limit == 0) continue;
    found->second.move_to(now_seconds);
    const uint64_t sum = found->second.sum();
    if (sum >= checks[i].limit) return {.over = true, .check = i, .count = sum};
  }
  for (size_t i = 0; i < checks.size() && i < keys.size(); ++i) {
    if (checks[i].what != RateCheck::What::take) continue;
    Count& count = count_for(keys[i], checks[i], now_seconds);
    count.move_to(now_seconds);
    count.add();
  }
  return {};
}

bool MemoryCounters::first_over_today(const RateCheck& check, uint64_t now_seconds) {
  const auto found = counts_.find(key_of(check));
  if (found == counts_.end() || found->second.slice_seconds != 0) return false;
  found->second.move_to(now_seconds);
  return std::exchange(found->second.counts[kTold], 1) == 0;
}

void MemoryCounters::sweep(uint64_t now_seconds, size_t share) {
  std::vector<CounterKey> over;
  for (size_t left = counts_.bucket_count() / share + 1; left > 0; --left) {
    hand_ = (hand_ + 1) % counts_.bucket_count();
    for (auto at = counts_.begin(hand_); at != counts_.end(hand_); ++at) {
      if (at->second.over_by(now_seconds)) over.push_back(at->first);
    }
  }
  for (const CounterKey& key : over) counts_.erase(key);
}

std::string MemoryCounters::encode() const {
  std::string bytes(kMagic);
  bytes.reserve(kHeadBytes + counts_.size() * kEntryBytes + kSumBytes);
  append_number(bytes, seed_);
  append_number(bytes, static_cast<uint64_t>(counts_.size()));
  for (const auto& [key, count] : counts_) {
    append_number(bytes, key.low);
    append_number(bytes, key.high);
    append_number(bytes, count.slice_seconds);
    append_number(bytes, count.newest);
    for (const uint32_t number : count.counts) append_number(bytes, number);
  }
  append_number(bytes, static_cast<uint64_t>(XXH3_64bits(bytes.data(), bytes.size())));
  return bytes;
}

Result<void> MemoryCounters::decode(std::string_view bytes, uint64_t now_seconds) {
  const auto broken = [](const char* why) { return permanent(std::string("read the counters: ") + why); };
  if (bytes.size() < kHeadBytes + kSumBytes || !bytes.starts_with(kMagic))
    return broken("it is no such file");
  const std::string_view summed = bytes.substr(0, bytes.size() - kSumBytes);
  std::string_view at = bytes.substr(summed.size());
  if (cut_number<uint64_t>(at) != XXH3_64bits(summed.data(), summed.size()))
    return broken("its checksum is wrong");
  at = summed.substr(kMagic.size());
  const uint64_t seed = cut_number<uint64_t>(at);
  const uint64_t number = cut_number<uint64_t>(at);
  if (at.size() % kEntryBytes != 0 || number != at.size() / kEntryBytes) return broken("its length is wrong");
  seed_ = seed;
  counts_.clear();
  while (!at.empty()) {
    CounterKey key;
    Count count;
    key.low = cut_number<uint64_t>(at);
    key.high = cut_number<uint64_t>(at);
    count.slice_seconds = cut_number<uint32_t>(at);
    count.newest = cut_number<uint32_t>(at);
    for (uint32_t& each : count.counts) each = cut_number<uint32_t>(at);
    if (counts_.size() < most_keys_ && !count.over_by(now_seconds)) counts_.emplace(key, count);
  }
  return {};
}

}  // namespace postern
