// The limits of single addresses (limit_type=mxip of control/destinations): how many connections the workers
// together have to one, and how many recipients it gets within its minutes. Each worker has one place at
// most: that of its connection, which it keeps as long as that is open.
//
// Recipients count as send counts those of a domain: from before they are named to the server until their
// minutes after the job has ended; those of a worker that was killed from when that is found out. Ends are
// kept for an hour, whatever the minutes of the domain they were of: each limit asks for those of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "lib/result.h"
#include "remote/limit_table.h"

namespace postern {

struct AddressLimit {
  std::string key;           // the address, and by which gateway where these count apart
  std::string site;          // whose mail it is: sites that share an address take turns
  unsigned connections = 1;  // at once
  unsigned recipients = 0;   // within `minutes`; 0: any number
  unsigned minutes = 60;
  int64_t count_from = 0;  // milliseconds: what ended before does not count
};

class AddressLimits {
 public:
  // Nothing is opened before it is needed, which must be in the worker.
  explicit AddressLimits(std::string path, std::string (*boot)() = boot_id) : table_(std::move(path), boot) {}

  struct Verdict {
    size_t recipients = 0;  // that may go now
    int64_t wait = 0;       // milliseconds until it is worth to ask again, where that is none
    std::string why;        // none: which limit
  };
  // A place for a new connection, and recipients for its first message. None: there is no place either. The
  // failure (temporary, 4.3.0): they cannot be counted.
  Result<Verdict> enter(const AddressLimit& limit, size_t recipients);
  // Has it the place of this limit?
  [[nodiscard]] bool stays(const AddressLimit& limit) const;
  // Recipients of the next message over the connection. None: also where another site waits for the place and
  // it had its time; the connection should be closed.
  Result<Verdict> go_on(const AddressLimit& limit, size_t recipients);
  // The message has ended. Not `named`: no server was told of any of its recipients.
  void settle(bool named);
  // The connection is closed. What was not settled was not named.
  void leave();
  // Its connection is idle: does another site wait for the place?
  bool is_wanted();
  [[nodiscard]] bool has_place() const { return has_place_; }

 private:
  struct Counts;
  Result<Counts> load(size_t slot, int64_t now);
  Result<void> store(const Counts& counts);
  void sweep(Counts& counts, int64_t now);
  Verdict room(Counts& counts, const AddressLimit& limit, size_t recipients, int64_t now);
  [[nodiscard]] unsigned most_places(const LimitSlot& slot, const AddressLimit& limit, int64_t now) const;
  int free_place(const Counts& counts, const AddressLimit& limit, int64_t now);
  bool has_any_place(const Counts& counts, uint64_t site);
  bool must_make_room(const AddressLimit& limit, int64_t now);
  Result<Verdict> refuse_recipients(const Counts& counts, const Verdict& verdict);
  Result<Verdict> refuse_place(Counts& counts, const AddressLimit& limit, int64_t now);
  Result<Verdict> take_place(Counts& counts, const AddressLimit& limit, const Verdict& verdict, int64_t now);
  Result<void> reserve(Counts& counts, size_t recipients);
  Result<Verdict> synced(const Verdict& verdict);
  [[nodiscard]] bool is_wanted_by_another(const LimitSlot& slot, uint64_t site, int64_t now) const;

  LimitTable table_;
  bool has_place_ = false;
  // Of its place.
  uint64_t key_ = 0;
  uint64_t site_ = 0;
  size_t slot_ = 0;
  unsigned place_ = 0;
  int64_t since_ = 0;  // milliseconds
  size_t reserved_ = 0;
};

}  // namespace postern
