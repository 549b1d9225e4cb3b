#include "remote/set_aside.h"

#include <sys/mman.h>
#include <xxhash.h>

#include <new>

namespace postern {

namespace {

constexpr size_t kWords = 8192;  // 64 KiB
constexpr size_t kRow = 8;       // where one address may stand; what is new takes the place of the oldest

uint32_t mark_in(uint64_t word) {
  return static_cast<uint32_t>(word >> 32);
}
int64_t end_in(uint64_t word) {
  return static_cast<int64_t>(word & 0xffffffff);
}

}  // namespace

void SetAside::Unmap::operator()(Word* words) const {
  ::munmap(static_cast<void*>(words), kWords * sizeof(Word));
}

SetAside::SetAside() {
  void* memory =
      ::mmap(nullptr, kWords * sizeof(Word), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
  Word* first = static_cast<Word*>(memory);
  for (size_t i = 0; i < kWords; ++i) new (first + i) Word(0);
  words_.reset(first);
}

SetAside::Place SetAside::place_of(std::string_view address) {
  const uint64_t hash = XXH3_64bits(address.data(), address.size());
  return {(hash % (kWords / kRow)) * kRow, static_cast<uint32_t>(hash >> 32)};
}

void SetAside::add(std::string_view address, int64_t now) {
  if (!words_) return;
  const Place place = place_of(address);
  size_t chosen = place.first;
  for (size_t i = place.first; i < place.first + kRow; ++i) {
    const uint64_t word = words_.get()[i].load(std::memory_order_relaxed);
    if (word != 0 && mark_in(word) == place.mark) {
      chosen = i;
      break;
    }
    if (end_in(word) < end_in(words_.get()[chosen].load(std::memory_order_relaxed))) chosen = i;
  }
  const uint64_t end = static_cast<uint64_t>(now + kSetAsideSeconds) & 0xffffffff;
  words_.get()[chosen].store(static_cast<uint64_t>(place.mark) << 32 | end, std::memory_order_relaxed);
}

void SetAside::remove(std::string_view address) {
  if (!words_) return;
  const Place place = place_of(address);
  for (size_t i = place.first; i < place.first + kRow; ++i) {
    uint64_t word = words_.get()[i].load(std::memory_order_relaxed);
    if (word != 0 && mark_in(word) == place.mark) words_.get()[i].compare_exchange_strong(word, 0);
  }
}

bool SetAside::holds(std::string_view address, int64_t now) const {
  if (!words_) return false;
  const Place place = place_of(address);
  for (size_t i = place.first; i < place.first + kRow; ++i) {
    const uint64_t word = words_.get()[i].load(std::memory_order_relaxed);
    if (word != 0 && mark_in(word) == place.mark) return now < end_in(word);
  }
  return false;
}

}  // namespace postern
