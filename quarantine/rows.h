// The store's index behind an interface: SQLite now (sqlite_rows.h); another database has the same promises
// to keep. Each call is one transaction, and durable when it has succeeded. Nobody but the store calls it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lib/result.h"
#include "quarantine/held.h"

namespace postern::quarantine {

// Empty strings and numbers of 0 ask for nothing; the sender "<>" is the null reverse-path. Text is looked
// for anywhere, in either letter case (ASCII).
struct Filter {
  std::string quarantine{};
  std::string sender{};
  std::string recipient{};
  std::string subject{};
  std::string reason{};
  uint64_t before = 0;  // held since before then, microseconds since 1970
  uint64_t after = 0;
  std::vector<uint64_t> mids{};
  uint64_t limit = 0;  // messages at most
};

// What somebody did, kept for a year. Of a removed message it says that its file has to go, too, and that a
// repeated put of it was done before.
struct Audit {
  uint64_t time = 0;  // microseconds since 1970
  uint64_t mid = 0;
  uint64_t digest = 0;
  uint64_t new_mid = 0;
  std::string act{};  // released, deleted, lost; of one quarantine: released from, moved, asked
  std::string quarantine{};
  std::string who{};
  std::string exemption{};
  std::string fate{};
};

class Rows {
 public:
  virtual ~Rows() = default;
  // A row that has the mid already goes: its file has gone, or there would be no room for this one.
  virtual Result<void> insert(const HeldRow& row) = 0;
  virtual Result<std::optional<HeldRow>> find(uint64_t mid) = 0;
  // In the order of mids, until `each` fails. Memberships that are released are among those of a row.
  virtual Result<void> select(const Filter& filter,
                              const std::function<Result<void>(const HeldRow& row)>& each) = 0;
  // State and memberships as they are in `row` now.
  virtual Result<void> update(const HeldRow& row, const std::vector<Audit>& audits) = 0;
  // For good; the audit remembers it.
  virtual Result<void> remove(uint64_t mid, const std::vector<Audit>& audits) = 0;
  virtual Result<bool> was_removed(uint64_t mid) = 0;
  virtual Result<bool> was_removed(uint64_t mid, uint64_t digest) = 0;
  // Those with a membership that has expired, and those whose release was begun; by mid.
  virtual Result<std::vector<uint64_t>> due(uint64_t now_seconds) = 0;
  // When the next membership expires, seconds since 1970; 0: none does.
  virtual Result<uint64_t> next_expiry() = 0;
  // What was done with it, in order.
  virtual Result<std::vector<Audit>> audits(uint64_t mid) = 0;
  virtual Result<void> forget_audits(uint64_t before) = 0;
  // Is the index itself in order? A failure with `damaged` set when it is not.
  virtual Result<void> check() = 0;
  // Is it the one that stands there now, not one that was taken out of use meanwhile?
  virtual bool current() = 0;
};

}  // namespace postern::quarantine
