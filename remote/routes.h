// The way of each recipient: control/smtproutes at the time of the attempt, or what was ordered; and from a
// route to the addresses that are tried.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/envelope.h"
#include "lib/result.h"
#include "lib/smtproutes.h"
#include "remote/settings.h"
#include "remote/smtp_session.h"
#include "remote/table_file.h"

namespace postern {

// Recipients that go one way.
struct RouteGroup {
  Route route;
  std::vector<size_t> recipients;  // their numbers
};

// A line of an address takes its recipients out of what `domain` (A-labels) says for the others; the groups
// stand in the order of their first recipients. `ordered` is POSTERN_ROUTE and goes before all lines.
Result<std::vector<RouteGroup>> group_by_route(TableFile<RouteTable>& routes, std::string_view ordered,
                                               std::string_view domain,
                                               const std::vector<Recipient>& recipients);

// The route's own level, else that of its destination; but a password wants to know whom it is told: verify
// in the place of levels that leave it to the server.
TlsLevel tls_level_of(const Route& route, TlsLevel of_destination);

// The addresses of the route's hosts by priority, hosts of equal priority in random order. Hosts whose
// addresses are not known for now are left out while there are others; the failure is the last one, but a
// temporary one before any permanent one. Never for a route that discards.
Result<std::vector<Target>> targets_of_route(std::string_view domain, const Route& route,
                                             const RemoteSettings& settings);

}  // namespace postern
