// The messages that are open for one purpose. Local and remote deliveries are counted apart: hosts that
// answer slowly must not keep local mail waiting.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

namespace postern {

struct OpenMessages {
  static constexpr size_t kMessages = 400;  // two descriptors each
  // Of messages copied into memory; one is always let in.
  static constexpr size_t kBytes = size_t{256} * 1024 * 1024;

  size_t count = 0;
  size_t bytes = 0;
  std::deque<uint64_t> parked;  // due, but there was no room

  [[nodiscard]] bool full() const { return count >= kMessages || (count > 0 && bytes >= kBytes); }
  void enter(size_t cost) {
    count += 1;
    bytes += cost;
  }
  void leave(size_t cost) {
    count -= 1;
    bytes -= cost;
  }
};

}  // namespace postern
