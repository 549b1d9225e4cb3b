// db/limits/addresses: what counts against the limits of single addresses (limit_type=mxip), shared by all
// workers of rspawn, and by those of the rspawn before it.
//
//   0                    marks: for each slot the hash of its key, 8 bytes; 0: the slot is free
//   kSlots * 8           the slots, a page each (LimitSlot)
//
// A key may stand in one of the kRow slots of its row, which its hash chooses. Marks and slots are read and
// written under the row's lock. A place is a lock as well, of a byte that stands for it: so it is free when
// its worker is gone, however that ended. All locks are of the open file description (fcntl(2), F_OFD_SETLK),
// so each worker opens the file for itself.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "lib/fd.h"
#include "lib/result.h"

namespace postern {

// Connections to one address at once; more workers there cannot be (kMostWorkers).
constexpr unsigned kMostPlaces = 1000;

// In the machine's order. Written whole, in one page: never half.
struct LimitSlot {
  static constexpr size_t kEnds = 124;

  uint64_t boot;         // of the kernel, hashed: times of another one mean nothing
  int64_t written;       // milliseconds since 1970
  int64_t reset;         // milliseconds since boot: what ended before does not count
  uint64_t wanted_by;    // a site that has no place and waits for one, hashed
  int64_t wanted_until;  // milliseconds since boot: then nobody waits any more
  uint32_t end_count;
  uint32_t unused;
  std::array<int64_t, kEnds> when;         // milliseconds since boot, as RecipientWindow has them
  std::array<uint32_t, kEnds> recipients;  // that ended then
  std::array<uint8_t, kMostPlaces> out;    // recipients of the job of each place
  std::array<uint8_t, kMostPlaces> sites;  // of the hash of the site that had it last
  std::array<uint8_t, 560> rest;
};
static_assert(sizeof(LimitSlot) == 4096);

class LimitTable {
 public:
  static constexpr size_t kSlots = 16384;
  static constexpr size_t kRow = 32;

  explicit LimitTable(std::string path) : path_(std::move(path)) {}
  // Makes it where it is missing. Must not have been called before fork.
  Result<void> open();
  [[nodiscard]] bool is_open() const { return static_cast<bool>(file_); }
  // What LimitSlot::boot is now; 0: that cannot be known, no two are the same.
  [[nodiscard]] uint64_t boot() const { return boot_; }

  // The row's lock, while it lives.
  class Row {
   public:
    Row(Row&& other) noexcept : fd_(std::exchange(other.fd_, -1)), first_(other.first_) {}
    Row(const Row&) = delete;
    Row& operator=(const Row&) = delete;
    Row& operator=(Row&&) = delete;
    ~Row();

   private:
    friend class LimitTable;
    Row(int fd, size_t first) : fd_(fd), first_(first) {}
    int fd_;
    size_t first_;
  };
  Result<Row> lock(uint64_t hash);
  // The key's slot, or one that is made for it out of one of which nothing counts any more; nothing: there is
  // none, the row is full.
  Result<std::optional<size_t>> find(const Row& row, uint64_t hash, int64_t now);
  Result<LimitSlot> read(size_t slot);
  Result<void> write(size_t slot, const LimitSlot& content);
  // What was written holds after loss of power.
  Result<void> sync();

  // False: somebody else has it.
  bool take_place(size_t slot, unsigned place);
  void leave_place(size_t slot, unsigned place);
  // Has anybody but us one of these?
  bool is_taken(size_t slot, unsigned first, unsigned count);

 private:
  bool is_idle(size_t slot, int64_t now);
  std::string path_;
  Fd file_;
  uint64_t boot_ = 0;
};

// The hash by which a key is known; never 0.
uint64_t limit_hash(std::string_view key);

}  // namespace postern
