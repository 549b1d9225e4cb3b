// The part of a delivery that keeps to the limits of single addresses (limit_type=mxip).

#include "lib/text.h"
#include "remote/delivery.h"

namespace postern {

// Those of an order to reroute are the host's, as with the limits that send counts.
std::optional<AddressLimit> Deliverer::limit_of(const DeliveryOrder& order, const std::string& domain,
                                                const Destinations& destinations, const Way& way) const {
  const Destination& destination = destinations.of(order.route.empty() ? domain : order.route);
  if (limits_ == nullptr || destination.limit_type != LimitType::mx_ip) return std::nullopt;
  AddressLimit limit{.key = {},
                     .site = lower(domain) + " " + way.key,
                     .connections = destination.max_host_concurrency,
                     .recipients = destination.recipient_limit,
                     .minutes = destination.recipient_minutes};
  if (destination.limit_apply == LimitApply::virtual_gateway && !way.gateway.name.empty())
    limit.key = " by " + way.gateway.name;
  limit.count_from =
      static_cast<int64_t>(parse_number(order.kept.get_or("POSTERN_COUNT_FROM", "")).value_or(0));
  return limit;
}

AddressLimit Deliverer::limit_at(const Way& way, const Target& target) const {
  AddressLimit limit = *way.limit;
  limit.key = target.address + limit.key;
  return limit;
}

// Recipients of the next message over session_; 0: it takes none now.
Result<size_t> Deliverer::may_go_on(const Way& way, size_t recipients) {
  if (!way.limit) return recipients;
  Result<AddressLimits::Verdict> verdict = limits_->go_on(limit_at(way, session_->target()), recipients);
  if (!verdict) return verdict.failure();
  return verdict->recipients;
}

// A place at the target, and recipients; 0: it is full, and `held` says until when all that were asked are.
Result<size_t> Deliverer::may_enter(const Target& target, size_t recipients,
                                    std::optional<AddressLimits::Verdict>& held) {
  if (!way_.limit) return recipients;
  Result<AddressLimits::Verdict> verdict = limits_->enter(limit_at(way_, target), recipients);
  if (!verdict) return verdict.failure();
  if (verdict->recipients == 0 && (!held || verdict->wait < held->wait)) held = *verdict;
  return verdict->recipients;
}

// The first so many; the others are told to come again at once, when another address may have room.
Deliverer::Attempt Deliverer::transact_counted(const DeliveryOrder& order, size_t recipients) {
  const size_t all = order.message.envelope.recipients.size();
  if (recipients >= all) return transact(order);
  std::vector<size_t> first;
  for (size_t i = 0; i < recipients; ++i) first.push_back(i);
  Attempt attempt = transact(only(order, first));
  if (attempt.reached)
    attempt.results.resize(all, {'w', "0 4.4.5 the limit of recipients of an address is reached"});
  return attempt;
}

std::vector<RecipientResult> held_back(size_t recipients, const AddressLimits::Verdict& verdict) {
  return {recipients, {'w', std::to_string(verdict.wait) + " " + verdict.why}};
}

}  // namespace postern
