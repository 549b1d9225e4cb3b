// Addresses in the one form in which they are compared as text: the shortest, in lower case, and IPv4 in IPv6
// as what it is.
#pragma once

#include <netinet/in.h>

#include <optional>
#include <string>
#include <string_view>

namespace postern {

// "192.0.2.1", "2001:db8::1"; nothing when it is no address.
std::optional<std::string> canonical_address(std::string_view text);
// The same, of that family (AF_INET, AF_INET6) alone.
std::optional<std::string> canonical_address(std::string_view text, int family);
std::string canonical_address(const in_addr& address);
std::string canonical_address(const in6_addr& address);

}  // namespace postern
