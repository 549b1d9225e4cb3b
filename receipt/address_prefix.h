// Addresses and networks as the tables of the receipt phase hold them: 128 bits, IPv4 as ::ffff:a.b.c.d
// (RFC 4291 2.5.5.2), so that an IPv4 client that came over an IPv6 socket is what it is.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern {

using AddressKey = std::array<unsigned char, 16>;  // in network order

constexpr unsigned kAddressBits = 128;
constexpr unsigned kIpv4Bits = 96;  // what an IPv4 address shares with all others

struct AddressPrefix {
  AddressKey key{};
  uint8_t bits = kAddressBits;  // those behind are 0 in `key`
  bool operator==(const AddressPrefix&) const = default;
};

// "192.0.2.1" or "2001:db8::1"; nothing for anything else.
std::optional<AddressKey> parse_address(std::string_view text);
bool is_ipv4(const AddressKey& key);
AddressKey masked(const AddressKey& key, unsigned bits);
bool is_in(const AddressKey& address, const AddressPrefix& network);
std::string address_text(const AddressKey& key);
// "1.2.0.192" or 32 nibbles: what stands before the zone in a DNS list (RFC 5782 2.1, 2.4).
std::string reversed_address(const AddressKey& key);

// The fewest networks that make up all from `first` to `last`.
std::vector<AddressPrefix> networks_between(AddressKey first, const AddressKey& last);

// As the Host Access Table writes addresses: whole ones; parts of IPv4 ones, "192.0.2." or "192.0.2"; ranges
// "192.0.2.1-9", "192.0.2-7.", "10-11" or of two whole addresses; CIDR, "10.1/16" as well. Nothing: it is
// none of these.
std::optional<std::vector<AddressPrefix>> parse_networks(std::string_view text);

}  // namespace postern
