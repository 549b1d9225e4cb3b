// parts: lib
//
// control/smtproutes and address literals: a route has a host that can be looked up or an address, and a port
// that is one.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "lib/smtproutes.h"
#include "lib/text.h"

using namespace postern;

namespace {
void require(bool fact) {
  if (!fact) std::abort();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Result<RouteTable> table = RouteTable::parse(text, "f");
  if (!table) {
    require(!table.failure().permanent() && table.failure().text.starts_with("f:"));
    return 0;
  }
  for (const std::string_view line : split(text, '\n')) {
    const Route& route = table->find(line.substr(0, line.find(':')));
    require(!route.hosts.empty());
    for (const RouteHost& host : route.hosts)
      require(host.hop.host.find_first_of(" \t\n[]\"\\,") == std::string::npos);
    require(route.auth.find('/') == std::string::npos);
    const std::string literal = address_literal(line);
    require(literal.empty() || address_literal(literal) == literal);
  }
  return 0;
}
