// control/smtproutes: where mail for a domain goes instead of to its MX (as in qmail-remote(8)).
//
//   example.org:relay.example.net:2525   that domain      .example.org:…   everything below it
//   :smarthost.example.net               all the others   example.com:     by MX after all
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "lib/result.h"

namespace postern {

struct Route {
  std::string host;   // a name, or an address without brackets; empty: by MX
  uint16_t port = 0;  // 0: not said
};

class RouteTable {
 public:
  // The failure (temporary, 4.3.5) names the line; mail must not go another way because of a slip of the pen.
  static Result<RouteTable> parse(std::string_view text, std::string_view file_name);
  // The domain's own line, else that of the nearest ".parent", else that without a domain, else by MX.
  [[nodiscard]] Route find(std::string_view domain) const;

 private:
  std::unordered_map<std::string, Route> routes_;
};

// HOST or HOST:PORT, an IPv6 address in brackets: a way that was ordered for one message.
Result<Route> parse_route(std::string_view text);

// Reads the file again when it has changed.
class RouteFile {
 public:
  explicit RouteFile(std::string path) : path_(std::move(path)) {}
  Result<Route> find(std::string_view domain);

 private:
  std::string path_;
  RouteTable table_;
  bool loaded_ = false;
  int64_t changed_nanoseconds_ = 0;
  int64_t size_bytes_ = 0;
};

// "1.2.3.4", "[1.2.3.4]", "2001:db8::1", "[IPv6:2001:db8::1]" to the bare address; empty for anything else.
std::string address_literal(std::string_view host);

}  // namespace postern
