#include "auth/failures.h"

#include <arpa/inet.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <span>
#include <string>

namespace postern::auth {

namespace {

constexpr uint64_t kFirstDelayMilliseconds = 500;
constexpr uint64_t kLongestDelayMilliseconds = 8000;

// High half: which address (never 0); low half: the second at which it has no failures any more.
using Slot = std::atomic<uint64_t>;
static_assert(Slot::is_always_lock_free);

uint32_t clean_at(uint64_t slot) {
  return static_cast<uint32_t>(slot);
}
uint32_t tag_of(uint64_t slot) {
  return static_cast<uint32_t>(slot >> 32);
}

uint64_t failures_until(uint64_t clean_second, uint64_t now) {
  if (clean_second <= now) return 0;
  return (clean_second - now + Failures::kForgetSeconds - 1) / Failures::kForgetSeconds;
}

// What addresses that belong together share: all of IPv4, 64 bits of IPv6.
std::string network_of(std::string_view ip) {
  const std::string text(ip);
  in6_addr six{};
  if (::inet_pton(AF_INET6, text.c_str(), &six) == 1) return {reinterpret_cast<const char*>(&six), 8};
  return text;
}

}  // namespace

struct Failures::Place {
  std::span<Slot> ways;
  uint32_t tag;
};

Failures::Failures(const Key& key)
    : key_(key),
      memory_(::mmap(nullptr, kSlots * sizeof(Slot), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                     0)) {}

Failures::~Failures() {
  if (memory_ != MAP_FAILED) ::munmap(memory_, kSlots * sizeof(Slot));
}

Failures::Place Failures::place_of(std::string_view ip) const {
  const std::string hash = key_.derived("address", network_of(ip));
  uint32_t tag = 0;
  uint32_t index = 0;
  std::memcpy(&tag, hash.data(), sizeof tag);
  std::memcpy(&index, hash.data() + sizeof tag, sizeof index);
  Slot* slots = static_cast<Slot*>(memory_);
  return {std::span(slots + index % (kSlots / kWays) * kWays, kWays), std::max<uint32_t>(tag, 1)};
}

uint64_t Failures::of(std::string_view ip, uint64_t now_seconds) const {
  if (memory_ == MAP_FAILED) return 0;
  const Place place = place_of(ip);
  for (const Slot& slot : place.ways) {
    const uint64_t value = slot.load();
    if (tag_of(value) == place.tag) return failures_until(clean_at(value), now_seconds);
  }
  return 0;
}

uint64_t Failures::add(std::string_view ip, uint64_t now_seconds) {
  if (memory_ == MAP_FAILED) return 1;
  const Place place = place_of(ip);
  for (;;) {
    const auto known = std::find_if(place.ways.begin(), place.ways.end(),
                                    [&](const Slot& slot) { return tag_of(slot.load()) == place.tag; });
    Slot& slot =
        known != place.ways.end()
            ? *known
            : *std::min_element(place.ways.begin(), place.ways.end(), [](const Slot& a, const Slot& b) {
                return clean_at(a.load()) < clean_at(b.load());
              });
    uint64_t before = slot.load();
    const uint64_t from = tag_of(before) == place.tag ? clean_at(before) : 0;
    const uint64_t until = std::min(std::max<uint64_t>(from, now_seconds) + kForgetSeconds,
                                    now_seconds + kMostCounted * kForgetSeconds);
    const uint64_t after = static_cast<uint64_t>(place.tag) << 32 | static_cast<uint32_t>(until);
    if (slot.compare_exchange_strong(before, after)) return failures_until(until, now_seconds);
  }
}

uint64_t delay_milliseconds(uint64_t failures) {
  if (failures == 0) return 0;
  return std::min(kFirstDelayMilliseconds << std::min<uint64_t>(failures - 1, 10), kLongestDelayMilliseconds);
}

}  // namespace postern::auth
