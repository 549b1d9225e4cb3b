// What the operator has ordered for the recipients of a message: lines of postern-qctl among those of
// queue/attempts.h, replayed in order.
//
//   o VERB TIME WHO RIDS [ROUTE] .
//
// TIME is in seconds since 1970, WHO the user that ordered it, RIDS a list such as "0,3-5", ROUTE HOST,
// HOST:PORT or
// "-" (as configured), only with reroute. The dot shows that the line is whole: one that was cut short by a
// full disk must not order something for another recipient.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/queue_file.h"
#include "lib/result.h"

namespace postern {

enum class Verb { flush, hold, release, remove, bounce, reroute };

std::optional<Verb> parse_verb(std::string_view word);
std::string_view verb_name(Verb verb);

struct Order {
  Verb verb = Verb::flush;
  uint64_t time = 0;                                // seconds since 1970
  std::string who;                                  // one word of printing ASCII
  std::vector<std::pair<uint64_t, uint64_t>> rids;  // first and last of each range
  std::string route;                                // with reroute; "-": none any more
};

// A line with an LF before it as well, so that it does not become part of one that was cut short.
std::string order_line(const Order& order);
// A line without its LF; nothing when it is no order, or not a whole one.
std::optional<Order> parse_order(std::string_view line);
// Recipient numbers in rising order to ranges.
std::vector<std::pair<uint64_t, uint64_t>> to_ranges(const std::vector<size_t>& rids);

// HOST or HOST:PORT: a name, an IPv4 address, or an IPv6 address in brackets. "-" is none.
bool is_route(std::string_view text);

// What holds for one recipient after all orders; it counts while the recipient is pending or held.
struct RecipientOrders {
  std::optional<bool> held;  // by the last hold or release
  std::optional<Verb> end;   // remove or bounce, the last one
  std::string route;         // of the last reroute; empty: as configured
  std::string who;           // ordered the last of these
  bool operator==(const RecipientOrders&) const = default;
};

struct Orders {
  std::map<size_t, RecipientOrders> recipients;
  uint64_t flushes = 0;     // how often flush or release was ordered
  uint64_t flushed_at = 0;  // seconds since 1970: the last time

  [[nodiscard]] const RecipientOrders* of(size_t rid) const;
};

// All orders of a defer log for a message of that many recipients.
Orders replay_orders(std::string_view log, size_t recipients);

// The state that a recipient in `state` has once its orders are carried out (failed for a bounce).
RecipientState state_by_orders(RecipientState state, const RecipientOrders* orders);

}  // namespace postern
