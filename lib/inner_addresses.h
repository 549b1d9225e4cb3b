// Addresses that are no public host's: what a stranger's DNS or URL must not lead us to, unless the operator
// allows it.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/result.h"

namespace postern {

// An IPv6 address; one of IPv4 in its mapped form (::ffff:a.b.c.d).
using AnyAddress = std::array<unsigned char, 16>;

std::optional<AnyAddress> parse_any_address(std::string_view text);
// That of an IPv4 address which stands in an IPv6 one (mapped, compatible, NAT64's 64:ff9b::/96, 6to4) is
// looked at too. Inner: unspecified, loopback, private, shared (RFC 6598), link-local, unique local,
// multicast and what is reserved.
bool is_inner_address(const AnyAddress& address);

// Networks, "192.0.2.0/24" or one address a line.
class Networks {
 public:
  // The failure (permanent) names `where` and the line.
  static Result<Networks> parse(const std::vector<std::string>& lines, const std::string& where);
  [[nodiscard]] bool contain(const AnyAddress& address) const;

 private:
  struct Network {
    AnyAddress address{};
    unsigned bits = 128;
  };
  std::vector<Network> networks_;
};

}  // namespace postern
