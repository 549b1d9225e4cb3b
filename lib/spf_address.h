// The addresses that SPF compares. An IPv4 address that came mapped into IPv6 is the IPv4 address (RFC 7208,
// 5).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern {

struct SpfAddress {
  bool ipv6 = false;
  std::array<uint8_t, 16> bytes{};  // 4 of them for IPv4
  bool operator==(const SpfAddress&) const = default;
};

std::optional<SpfAddress> parse_spf_address(std::string_view text);
// Of the same family, and alike in the first `prefix` bits (at most 32, or 128).
bool is_within(const SpfAddress& address, const SpfAddress& network, unsigned prefix);
std::string format_spf_address(const SpfAddress& address);
// As the macro i has it (RFC 7208, 7.3): "192.0.2.1", or 32 hexadecimal digits, capital, with dots
// between them.
std::string dotted_spf_address(const SpfAddress& address);

}  // namespace postern
