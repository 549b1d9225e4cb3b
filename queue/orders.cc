#include "queue/orders.h"

#include <algorithm>
#include <array>

#include "lib/next_hop.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr std::array<std::pair<std::string_view, Verb>, 6> kVerbs = {{{"flush", Verb::flush},
                                                                      {"hold", Verb::hold},
                                                                      {"release", Verb::release},
                                                                      {"remove", Verb::remove},
                                                                      {"bounce", Verb::bounce},
                                                                      {"reroute", Verb::reroute}}};

bool parse_rids(std::string_view text, Order& order) {
  for (const std::string_view part : split(text, ',')) {
    const size_t dash = part.find('-');
    const std::optional<uint64_t> first = parse_number(part.substr(0, dash));
    const std::optional<uint64_t> last =
        dash == std::string_view::npos ? first : parse_number(part.substr(dash + 1));
    if (!first || !last || *last < *first) return false;
    order.rids.emplace_back(*first, *last);
  }
  return true;
}

void apply(const Order& order, RecipientOrders& recipient) {
  switch (order.verb) {
    case Verb::flush:
      return;
    case Verb::hold:
    case Verb::release:
      recipient.held = order.verb == Verb::hold;
      break;
    case Verb::remove:
    case Verb::bounce:
      recipient.end = order.verb;
      break;
    case Verb::reroute:
      recipient.route = order.route == "-" ? std::string() : order.route;
      break;
  }
  recipient.who = order.who;
}

void apply(const Order& order, size_t recipients, Orders& orders) {
  if (order.verb == Verb::flush || order.verb == Verb::release) {
    ++orders.flushes;
    orders.flushed_at = std::max(orders.flushed_at, order.time);
  }
  if (order.verb == Verb::flush) return;
  for (const auto& [first, last] : order.rids) {
    for (uint64_t rid = first; rid <= last && rid < recipients; ++rid) apply(order, orders.recipients[rid]);
  }
}

}  // namespace

std::optional<Verb> parse_verb(std::string_view word) {
  for (const auto& [name, verb] : kVerbs) {
    if (name == word) return verb;
  }
  return std::nullopt;
}

std::string_view verb_name(Verb verb) {
  for (const auto& [name, candidate] : kVerbs) {
    if (candidate == verb) return name;
  }
  return {};
}

std::string order_line(const Order& order) {
  std::string line = "\no ";
  line.append(verb_name(order.verb)).append(" ").append(std::to_string(order.time));
  line.append(" ").append(order.who).append(" ");
  bool first = true;
  for (const auto& [from, to] : order.rids) {
    if (!first) line += ',';
    first = false;
    line += std::to_string(from);
    if (to != from) line += "-" + std::to_string(to);
  }
  if (order.verb == Verb::reroute) line += " " + order.route;
  return line + " .\n";
}

std::optional<Order> parse_order(std::string_view line) {
  if (!line.starts_with("o ")) return std::nullopt;
  const std::vector<std::string_view> fields = split(line, ' ');
  if (fields.size() < 6 || fields.back() != ".") return std::nullopt;
  const std::optional<Verb> verb = parse_verb(fields[1]);
  const std::optional<uint64_t> time = parse_number(fields[2]);
  const bool has_route = verb == Verb::reroute;
  if (!verb || !time || fields[3].empty() || fields.size() != (has_route ? 7U : 6U)) return std::nullopt;
  Order order{.verb = *verb, .time = *time, .who = std::string(fields[3]), .rids = {}, .route = {}};
  if (!parse_rids(fields[4], order)) return std::nullopt;
  if (has_route && !is_route(fields[5])) return std::nullopt;
  if (has_route) order.route = fields[5];
  return order;
}

std::vector<std::pair<uint64_t, uint64_t>> to_ranges(const std::vector<size_t>& rids) {
  std::vector<std::pair<uint64_t, uint64_t>> ranges;
  for (const size_t rid : rids) {
    if (!ranges.empty() && ranges.back().second + 1 == rid) {
      ranges.back().second = rid;
    } else {
      ranges.emplace_back(rid, rid);
    }
  }
  return ranges;
}

bool is_route(std::string_view text) {
  return text == "-" || is_next_hop(text);
}

const RecipientOrders* Orders::of(size_t rid) const {
  const auto found = recipients.find(rid);
  return found == recipients.end() ? nullptr : &found->second;
}

Orders replay_orders(std::string_view log, size_t recipients) {
  Orders orders;
  for (size_t end = 0; (end = log.find('\n')) != std::string_view::npos; log.remove_prefix(end + 1)) {
    if (const std::optional<Order> order = parse_order(log.substr(0, end))) apply(*order, recipients, orders);
  }
  return orders;
}

RecipientState state_by_orders(RecipientState state, const RecipientOrders* orders) {
  const bool open = state == RecipientState::pending || state == RecipientState::held;
  if (!open || orders == nullptr) return state;
  if (orders->end) return *orders->end == Verb::remove ? RecipientState::removed : RecipientState::failed;
  if (orders->held) return *orders->held ? RecipientState::held : RecipientState::pending;
  return state;
}

}  // namespace postern
