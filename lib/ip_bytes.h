// An IP address as 16 bytes, IPv4 as ::ffff:a.b.c.d (RFC 4291 2.5.5.2), so that one table holds both.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern {

using IpBytes = std::array<uint8_t, 16>;

std::optional<IpBytes> parse_ip(std::string_view text);
bool is_v4(const IpBytes& address);
std::string ip_text(const IpBytes& address);
// With everything behind the first `bits` of the 128 cleared.
IpBytes ip_network(IpBytes address, unsigned bits);

}  // namespace postern
