// Addresses that failed a short while ago: tried last until that while is over. One small table in memory
// that all workers of rspawn share: it is made before they are forked. Each entry is one word, read and
// written whole, so that a worker that is killed leaves nothing half done, and nobody waits for anybody.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace postern {

constexpr int64_t kSetAsideSeconds = 300;

class SetAside {
 public:
  // Without memory it remembers nothing; mail goes out all the same.
  SetAside();

  // `address`: any text that names it. `now`: seconds of CLOCK_MONOTONIC.
  void add(std::string_view address, int64_t now);
  // It worked.
  void remove(std::string_view address);
  [[nodiscard]] bool holds(std::string_view address, int64_t now) const;

 private:
  // The upper half is a mark of the address, the lower one the second until which it stands aside. Two
  // addresses may share a mark: then one of them is tried later than it could be.
  using Word = std::atomic<uint64_t>;
  static_assert(Word::is_always_lock_free);
  struct Unmap {
    void operator()(Word* words) const;
  };
  struct Place {
    size_t first;
    uint32_t mark;
  };
  [[nodiscard]] static Place place_of(std::string_view address);

  std::unique_ptr<Word, Unmap> words_;
};

}  // namespace postern
