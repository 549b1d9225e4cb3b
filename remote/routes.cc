#include "remote/routes.h"

#include <stdlib.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include "lib/idn.h"
#include "lib/text.h"
#include "remote/targets.h"

namespace postern {

namespace {

constexpr size_t kTargetLimit = 20;  // addresses tried in one delivery
constexpr uint16_t kLmtpPort = 24;   // what mailbox servers listen on; never 25 (RFC 2033 5)

const Route* route_of_address(const RouteTable& table, const std::string& address, std::string_view domain) {
  const std::string own = domain_of(address);
  if (own.empty()) return nullptr;
  if (own == domain) return table.find_address(local_part_of(address), own);
  const Result<std::string> labels = a_labels(own);
  return labels ? table.find_address(local_part_of(address), *labels) : nullptr;
}

// Equal shares for hosts of equal priority.
std::vector<RouteHost> in_turn(std::vector<RouteHost> hosts) {
  for (auto first = hosts.begin(); first != hosts.end();) {
    const auto last =
        std::find_if(first, hosts.end(), [&](const RouteHost& h) { return h.priority != first->priority; });
    for (auto left = last - first; left > 1; --left) {
      std::iter_swap(first + (left - 1),
                     first + static_cast<std::ptrdiff_t>(::arc4random_uniform(static_cast<uint32_t>(left))));
    }
    first = last;
  }
  return hosts;
}

Result<std::vector<Target>> targets_of_hop(std::string_view domain, NextHop hop,
                                           const RemoteSettings& settings) {
  const bool lmtp = hop.way == NextHop::Way::lmtp;
  if (hop.host.starts_with('/'))
    return std::vector<Target>{
        {.host = "localhost", .address = hop.host, .port = 0, .lmtp = true, .source = {}, .hello = {}}};
  if (lmtp && hop.port == 0) hop.port = kLmtpPort;
  Result<std::vector<Target>> targets = find_targets(domain, hop, settings);
  if (targets && lmtp) {
    for (Target& target : *targets) target.lmtp = true;
  }
  return targets;
}

}  // namespace

Result<std::vector<RouteGroup>> group_by_route(TableFile<RouteTable>& routes, std::string_view ordered,
                                               std::string_view domain,
                                               const std::vector<Recipient>& recipients) {
  std::vector<RouteGroup> groups;
  const auto add = [&](const Route& route, size_t recipient) {
    auto group = std::find_if(groups.begin(), groups.end(),
                              [&](const RouteGroup& g) { return g.route.key == route.key; });
    if (group == groups.end()) group = groups.insert(group, {route, {}});
    group->recipients.push_back(recipient);
  };
  if (!ordered.empty()) {
    Result<Route> route = parse_route(ordered);
    if (!route) return route.failure();
    for (size_t i = 0; i < recipients.size(); ++i) add(*route, i);
    return groups;
  }
  Result<const RouteTable*> table = routes.current();
  if (!table) return table.failure();
  const Route& others = (*table)->find(domain);
  for (size_t i = 0; i < recipients.size(); ++i) {
    const Route* own =
        (*table)->has_addresses() ? route_of_address(**table, recipients[i].address, domain) : nullptr;
    add(own == nullptr ? others : *own, i);
  }
  return groups;
}

TlsLevel tls_level_of(const Route& route, TlsLevel of_destination) {
  if (route.tls) return *route.tls;
  const bool by_chance = of_destination == TlsLevel::may || of_destination == TlsLevel::dane;
  return by_chance && !route.auth.empty() && !route.auth_without_tls ? TlsLevel::verify : of_destination;
}

Result<std::vector<Target>> targets_of_route(std::string_view domain, const Route& route,
                                             const RemoteSettings& settings) {
  std::vector<Target> targets;
  std::optional<Failure> last;
  for (const RouteHost& host : in_turn(route.hosts)) {
    Result<std::vector<Target>> found = targets_of_hop(domain, host.hop, settings);
    if (!found && (!last || last->permanent() || !found.failure().permanent())) last = found.failure();
    if (!found) continue;
    const size_t room = std::min(found->size(), kTargetLimit - targets.size());
    std::move(found->begin(), found->begin() + static_cast<std::ptrdiff_t>(room),
              std::back_inserter(targets));
  }
  if (!targets.empty()) return targets;
  return last ? *last : temporary("no host to try", 0, "4.4.1");
}

}  // namespace postern
