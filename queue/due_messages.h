// The messages that wait for their time, each once: one that is put in again, because an order came for it,
// leaves its former place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <unordered_map>
#include <utility>

namespace postern {

struct Due {
  uint64_t when;  // seconds since 1970
  uint64_t mid;
};

class DueMessages {
 public:
  void push(Due due);
  // The one that is due first; of several the oldest message. Not when it is empty.
  [[nodiscard]] Due top() const { return {order_.begin()->first, order_.begin()->second}; }
  void pop();
  [[nodiscard]] bool empty() const { return order_.empty(); }
  [[nodiscard]] size_t size() const { return order_.size(); }

 private:
  std::set<std::pair<uint64_t, uint64_t>> order_;  // when, mid
  std::unordered_map<uint64_t, uint64_t> when_;    // by mid
};

}  // namespace postern
