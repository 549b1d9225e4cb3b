// The messages that are open for one purpose. Local and remote deliveries are counted apart: hosts that
// answer slowly must not keep local mail waiting.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace postern {

struct OpenMessages {
  // Of messages copied into memory; one is always let in.
  static constexpr size_t kBytes = size_t{256} * 1024 * 1024;

  size_t most = 400;  // messages (queue/room.h)
  size_t count = 0;
  size_t bytes = 0;
  std::deque<uint64_t> parked;  // due, but there was no room

  [[nodiscard]] bool full() const { return count >= most || (count > 0 && bytes >= kBytes); }
  // As many of the parked ones as there is room for.
  std::vector<uint64_t> take_parked() {
    std::vector<uint64_t> taken;
    while (!full() && count + taken.size() < most && !parked.empty()) {
      taken.push_back(parked.front());
      parked.pop_front();
    }
    return taken;
  }
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
