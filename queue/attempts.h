// What stands in defer/ beside a message that has been tried: text lines, appended, never synced.
//
//   r RID TEXT             what the last try of that recipient said
//   t TRIES TIME NEXT [N]  a pass has ended: how many there were, when (seconds since 1970), when the next
//                          one is due, and how many orders to try at once it has met
//   o ...                  an order of postern-qctl (queue/orders.h)
//   a RID TRIES NEXT .     the same of one recipient, where it is not what the message's `t` line says
//   w RID TIME             the sender was warned that this recipient is delayed, each time a line
//   d RID ACTION TEXT      delivered, relayed or expanded: the sender has asked to be told, and is not yet
//   n RID .                the sender was told of it
//
// Each append begins with an LF: what a full disk has cut short does not swallow the next line.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "lib/result.h"

namespace postern {

struct Success {
  std::string action;  // "delivered", "relayed" or "expanded"
  std::string text;    // the report
};

struct Turn {
  unsigned tries = 0;
  uint64_t next = 0;  // seconds since 1970
  bool operator==(const Turn&) const = default;
};

struct Warnings {
  unsigned count = 0;
  uint64_t last = 0;  // seconds since 1970
  bool operator==(const Warnings&) const = default;
};

struct Attempts {
  unsigned tries = 0;                     // passes over the message
  uint64_t last = 0;                      // seconds since 1970
  uint64_t next = 0;                      // the soonest of its recipients
  uint64_t flushes = 0;                   // orders to try at once that the last pass has met
  std::map<size_t, std::string> replies;  // by recipient number, the last one each
  std::map<size_t, Turn> turns;           // of recipients for whom tries and next are not as above
  std::map<size_t, Warnings> warned;      // how often the sender was told that these are delayed
  std::map<size_t, Success> untold;       // deliveries of which the sender is to be told
  uint64_t bytes = 0;                     // of the file, as far as it was read

  [[nodiscard]] Turn turn_of(size_t rid) const;
};

// Unreadable or broken lines are passed over: what is lost is only when to try again.
Attempts parse_attempts(std::string_view text);
// The whole file; nothing when it is missing. A file that cannot be read is a failure: it may hold orders.
// What counts of 50,000 recipients (kRecipientLimit) is at most 0.4 GB, with two texts of 4,000 bytes for
// each; the rest is for a pass and for orders.
constexpr size_t kDeferLogLimitBytes = 1024 * 1024 * 1024;
Result<std::optional<std::string>> read_defer_log(const std::string& path);
// None when the file is missing.
Attempts read_attempts(const std::string& path);
// The file's time of change becomes that of the next try, so that a long queue is taken in by looking at
// times.
// Of `pass` the numbers and times, the replies that differ from those `noted` before, its turns, and its
// warnings are written; `told` are those of whose delivery the sender was told. When the file was not as long
// as pass.bytes, an order has come that nobody has read: the time of change is then 0, look at it.
Result<void> append_attempt(const std::string& path, const Attempts& pass, const std::set<size_t>& told,
                            const std::map<size_t, std::string>& noted = {});
// Written before the state bytes that say done. How many bytes.
Result<size_t> append_successes(const std::string& path, const std::map<size_t, Success>& successes);

// Lines of the file.
std::string recipient_lines(const std::map<size_t, std::string>& replies,
                            const std::map<size_t, Warnings>& warned);
std::string turn_lines(const std::map<size_t, Turn>& turns);
std::string success_lines(const std::map<size_t, Success>& successes);
std::string pass_line(const Attempts& pass);

struct RetryProfile {
  uint64_t first_wait = 60;      // seconds
  uint64_t longest_wait = 3600;  // seconds
  uint64_t lifetime = 259200;    // seconds from receipt
};
// Seconds to wait after that many tries: what waits has waited twice as long at each try but the first two,
// so that with 60 it is tried at 0, 60, 120, 240, 480 …; up to the longest.
uint64_t wait_after(const RetryProfile& profile, unsigned tries);

}  // namespace postern
