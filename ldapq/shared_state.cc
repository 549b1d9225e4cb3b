#include "ldapq/shared_state.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <new>

namespace postern {

namespace {

constexpr size_t kSlotBytes = 1024;
constexpr size_t kWays = 4;  // places that a key may have
constexpr size_t kServers = 1024;
constexpr int64_t kLongestAloneMilliseconds = 300 * 1000;

struct Slot {
  int64_t until;
  uint16_t key_bytes;
  uint16_t value_bytes;
  std::array<char, kSlotBytes - 12> bytes;  // the key, then the value
};
static_assert(sizeof(Slot) == kSlotBytes);

// 0 as `retry_at`: it is up. Two servers whose names meet in one place share their fate for a while.
struct Health {
  std::atomic<int64_t> retry_at;
  std::atomic<uint32_t> failures;
};

}  // namespace

struct SharedState::Block {
  pthread_mutex_t mutex;
  size_t bytes;  // of the mapping
  uint64_t seed;
  size_t sets;
  std::array<Health, kServers> servers;
  // sets * kWays slots follow

  Slot* slots() { return std::launder(reinterpret_cast<Slot*>(this + 1)); }
  Slot* set_of(std::string_view key) {
    return slots() + XXH3_64bits_withSeed(key.data(), key.size(), seed) % sets * kWays;
  }
  Health& health(std::string_view uri) {
    return servers.at(XXH3_64bits_withSeed(uri.data(), uri.size(), seed) % kServers);
  }
};

namespace {

// A worker may be killed while it holds the mutex, and have written half a slot: all of them are emptied.
class Held {
 public:
  Held(pthread_mutex_t* mutex, Slot* slots, size_t count) : mutex_(mutex) {
    const int error = ::pthread_mutex_lock(mutex_);
    held_ = error == 0 || error == EOWNERDEAD;
    if (error != EOWNERDEAD) return;
    for (Slot* slot = slots; slot != slots + count; ++slot) slot->until = 0;
    ::pthread_mutex_consistent(mutex_);
  }
  ~Held() {
    if (held_) ::pthread_mutex_unlock(mutex_);
  }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  explicit operator bool() const { return held_; }

 private:
  pthread_mutex_t* mutex_;
  bool held_ = false;
};

bool has_key(const Slot& slot, std::string_view key) {
  return slot.until != 0 && slot.key_bytes == key.size() &&
         std::memcmp(slot.bytes.data(), key.data(), key.size()) == 0;
}

}  // namespace

void SharedState::Unmap::operator()(Block* block) const {
  ::munmap(block, block->bytes);
}

Result<SharedState> SharedState::make(size_t entries) {
  const size_t sets = (entries + kWays - 1) / kWays;
  const size_t bytes = sizeof(Block) + sets * kWays * sizeof(Slot);
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return os_failure("map the cache", errno);
  SharedState state;
  state.block_ = std::unique_ptr<Block, Unmap>(new (memory) Block{});
  state.block_->bytes = bytes;
  state.block_->sets = sets;
  if (::getrandom(&state.block_->seed, sizeof state.block_->seed, 0) < 0)
    return os_failure("ask for random bytes", errno);
  pthread_mutexattr_t attributes;
  ::pthread_mutexattr_init(&attributes);
  ::pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  ::pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  ::pthread_mutex_init(&state.block_->mutex, &attributes);
  ::pthread_mutexattr_destroy(&attributes);
  return state;
}

std::optional<std::string> SharedState::find(std::string_view key, int64_t now) const {
  if (block_->sets == 0) return std::nullopt;
  const Held held(&block_->mutex, block_->slots(), block_->sets * kWays);
  if (!held) return std::nullopt;
  Slot* set = block_->set_of(key);
  Slot* found = std::find_if(set, set + kWays, [&](const Slot& slot) { return has_key(slot, key); });
  if (found == set + kWays || found->until <= now) return std::nullopt;
  return std::string(found->bytes.data() + found->key_bytes, found->value_bytes);
}

void SharedState::keep(std::string_view key, std::string_view value, int64_t until) const {
  if (block_->sets == 0 || key.size() + value.size() > Slot{}.bytes.size()) return;
  const Held held(&block_->mutex, block_->slots(), block_->sets * kWays);
  if (!held) return;
  Slot* set = block_->set_of(key);
  Slot* place = std::find_if(set, set + kWays, [&](const Slot& slot) { return has_key(slot, key); });
  if (place == set + kWays)
    place =
        std::min_element(set, set + kWays, [](const Slot& a, const Slot& b) { return a.until < b.until; });
  place->until = until;
  place->key_bytes = static_cast<uint16_t>(key.size());
  place->value_bytes = static_cast<uint16_t>(value.size());
  std::memcpy(place->bytes.data(), key.data(), key.size());
  std::memcpy(place->bytes.data() + key.size(), value.data(), value.size());
}

SharedState::May SharedState::may_try(std::string_view uri, int64_t now, int64_t probe_milliseconds) const {
  Health& health = block_->health(uri);
  int64_t at = health.retry_at.load();
  if (at == 0) return May::yes;
  const bool ours = at <= now && health.retry_at.compare_exchange_strong(at, now + probe_milliseconds);
  return ours ? May::probe : May::no;
}

int64_t SharedState::left_alone(std::string_view uri, int64_t now) const {
  const int64_t at = block_->health(uri).retry_at.load();
  return at == 0 ? 0 : std::max<int64_t>(at - now, 0);
}

bool SharedState::came_up(std::string_view uri) const {
  Health& health = block_->health(uri);
  health.failures.store(0);
  return health.retry_at.exchange(0) != 0;
}

bool SharedState::went_down(std::string_view uri, int64_t now, unsigned retry_seconds, bool probe) const {
  Health& health = block_->health(uri);
  const int64_t first = int64_t{retry_seconds} * 1000;
  if (!probe) {  // several workers may meet the same failure: the first one counts
    int64_t up = 0;
    return health.retry_at.compare_exchange_strong(up, now + first);
  }
  const uint32_t failures = health.failures.fetch_add(1) + 1;
  health.retry_at.store(now + std::min(first << std::min<uint32_t>(failures, 10), kLongestAloneMilliseconds));
  return false;
}

}  // namespace postern
