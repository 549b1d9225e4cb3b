// db/limits/addresses: what counts against the limits of single addresses (limit_type=mxip), shared by all
// workers of rspawn, and by those of the rspawn before it.
//
//   0                    the form of the file and the seed of its hashes, 8 bytes each
//   4096                 marks: for each slot the hash of its key, 8 bytes; 0: the slot is free
//   4096 + kSlots * 8    the slots, a page each (LimitSlot)
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

#include "lib/boot_id.h"
#include "lib/fd.h"
#include "lib/result.h"

namespace postern {

// Connections to one address at once; more workers there cannot be (kMostWorkers).
constexpr unsigned kMostPlaces = 1000;

// In the machine's order. Written whole, in one page: never half.
struct LimitSlot {
  static constexpr size_t kEnds = 193;

  uint64_t boot;          // of the kernel, hashed: times of another one mean nothing
  int64_t written;        // milliseconds since 1970
  int64_t reset;          // milliseconds since boot: what ended before does not count
  uint64_t wanted_by;     // a site that has no place and waits for one, hashed
  int64_t wanted_until;   // milliseconds since boot: then nobody waits any more
  uint16_t wanted_limit;  // of connections to the address: that site's
  uint16_t minutes;       // the longest for which any of these counts
  uint32_t end_count;
  uint32_t unused;
  std::array<uint32_t, kEnds> when;        // seconds since boot, rounded up
  std::array<uint32_t, kEnds> recipients;  // that ended then
  std::array<uint8_t, kMostPlaces> out;    // recipients of the job of each place
  std::array<uint8_t, kMostPlaces + kMostPlaces / 2> sites;

  // Of the hash of the site that had the place last: 12 bits.
  [[nodiscard]] unsigned site_of(unsigned place) const;
  void set_site(unsigned place, uint64_t site);
  [[nodiscard]] static unsigned bits_of(uint64_t site) { return static_cast<unsigned>(site & 0xfff); }
};
static_assert(sizeof(LimitSlot) == 4096);
constexpr int64_t kLongestWindow = 3600 * 1000;  // milliseconds: recipient_minutes is 60 at most

class LimitTable {
 public:
  static constexpr size_t kSlots = 65536;
  static constexpr size_t kRow = 32;

  explicit LimitTable(std::string path, std::string (*how_to_tell_boot)() = boot_id)
      : path_(std::move(path)), boot_id_(how_to_tell_boot) {}
  // Makes it where it is missing, and anew where it is none of this form. Must not have been called before
  // fork.
  Result<void> open();
  [[nodiscard]] bool is_open() const { return static_cast<bool>(file_); }
  // What LimitSlot::boot is now; 0: that cannot be known, no two are the same.
  [[nodiscard]] uint64_t boot() const { return boot_; }
  // By which a key is known; never 0. Nobody outside can choose names that share a row: the seed is the
  // file's.
  [[nodiscard]] uint64_t hash(std::string_view key) const;

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
  // How many places others have; from `most` on that is enough to know.
  unsigned count_taken(size_t slot, unsigned most) { return count_taken(slot, 0, kMostPlaces, most); }

 private:
  Result<void> begin();
  Result<Row> lock_row(size_t first);
  bool is_idle(size_t slot, int64_t now);
  unsigned count_taken(size_t slot, unsigned first, unsigned end, unsigned most);
  std::string path_;
  std::string (*boot_id_)();
  Fd file_;
  uint64_t seed_ = 0;
  uint64_t boot_ = 0;
};

}  // namespace postern
