// control/smtproutes: where mail for a domain or an address goes instead of to its MX
// (postern-smtproutes(5)).
//
//   example.org:relay.example.net:2525     that domain      .example.org:…   everything below it
//   boss@example.org:lmtp:/run/lmtp        that address     *:… or :…        all the others
//   example.com:mx1.in:25 10, mx2.in 20 tls=encrypt auth=smarthost
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lib/destinations.h"
#include "lib/next_hop.h"
#include "lib/result.h"

namespace postern {

struct RouteHost {
  NextHop hop;  // names by their A-labels
  unsigned priority = 0;
};

struct Route {
  std::vector<RouteHost> hosts;  // by priority, never empty; /dev/null stands alone
  std::string auth;              // the file in secrets/posternr/ to authenticate by; empty: nobody does
  bool auth_without_tls = false;
  std::optional<TlsLevel> tls;  // in the place of control/destinations
  std::string key = "mx";       // two routes with one key are the same way

  [[nodiscard]] bool discards() const { return hosts.front().hop.way == NextHop::Way::discard; }
  // By MX alone.
  static Route by_mx();
};

class RouteTable {
 public:
  // The failure (temporary, 4.3.5) names the line; mail must not go another way because of a slip of the pen.
  static Result<RouteTable> parse(std::string_view text, std::string_view file_name);
  // The domain's own line, else that of the nearest ".parent", else that for all others, else by MX.
  [[nodiscard]] const Route& find(std::string_view domain) const;
  // The line of that very address; null where it has none. Letter case is ignored; the domain is one of
  // A-labels.
  [[nodiscard]] const Route* find_address(std::string_view local_part, std::string_view domain) const;
  [[nodiscard]] bool has_addresses() const { return has_addresses_; }

 private:
  std::unordered_map<std::string, Route> routes_;
  Route otherwise_ = Route::by_mx();
  bool has_addresses_ = false;
};

// A way that was ordered for one message, as is_next_hop has it; 4.3.5 for anything else.
Result<Route> parse_route(std::string_view text);

}  // namespace postern
