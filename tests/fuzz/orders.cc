// parts: queue/attempts.cc queue/orders.cc lib
//
// The orders in defer/, torn by a crash or worse. Replaying never fails and never reaches beyond the
// message's recipients; what is read as an order is written and read again as the same one; an order that is
// appended behind anything is met, and one that is cut short is not.
#include "queue/orders.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "queue/attempts.h"
#include "tests/fuzz/must.h"

using namespace postern;

namespace {

void check_line(std::string_view line) {
  const std::optional<Order> order = parse_order(line);
  if (!order) return;
  must(line.ends_with(" .") && line.find('\n') == std::string_view::npos);
  for (const auto& [first, last] : order->rids) must(first <= last);
  must(order->verb != Verb::reroute || is_route(order->route));
  const std::string again = order_line(*order);
  const std::optional<Order> read = parse_order(std::string_view(again).substr(1, again.size() - 2));
  must(read && read->verb == order->verb && read->time == order->time && read->who == order->who &&
       read->rids == order->rids && read->route == order->route);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kRecipients = 50;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (std::string_view left = text; !left.empty();) {
    const size_t end = std::min(left.find('\n'), left.size());
    check_line(left.substr(0, end));
    left.remove_prefix(std::min(left.size(), end + 1));
  }
  (void)is_route(text);
  (void)parse_attempts(text);

  const Orders before = replay_orders(text, kRecipients);
  for (const auto& [rid, orders] : before.recipients) must(rid < kRecipients);
  const std::string line =
      order_line({.verb = Verb::hold, .time = 1, .who = "x", .rids = {{3, 4}}, .route = {}});
  const Orders after = replay_orders(std::string(text) + line, kRecipients);
  must(after.of(3) != nullptr && after.of(3)->held == true && after.of(4)->held == true);
  const Orders cut = replay_orders(std::string(text) + line.substr(0, line.size() - 2) + "\n", kRecipients);
  must(cut.recipients.size() <= after.recipients.size());

  for (size_t rid = 0; rid < kRecipients; ++rid) {
    for (const char letter : {'P', 'D', 'X', 'H', 'R'}) {
      const auto state = static_cast<RecipientState>(letter);
      const RecipientState by_orders = state_by_orders(state, before.of(rid));
      const bool open = state == RecipientState::pending || state == RecipientState::held;
      must(open || by_orders == state);
      must(by_orders != RecipientState::done || state == RecipientState::done);
    }
  }
  return 0;
}
