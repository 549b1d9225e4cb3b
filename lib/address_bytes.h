// An IP address as 16 bytes, IPv4 as ::ffff:a.b.c.d (RFC 4291 2.5.5.2), so that one table holds both.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern {

using AddressBytes = std::array<uint8_t, 16>;

std::optional<AddressBytes> parse_address(std::string_view text);
bool is_v4(const AddressBytes& address);
std::string address_text(const AddressBytes& address);
// With everything behind the first `bits` of the 128 cleared.
AddressBytes masked(AddressBytes address, unsigned bits);

}  // namespace postern
