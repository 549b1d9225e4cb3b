#include "receipt/address_prefix.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

#include "lib/text.h"

namespace postern {

namespace {

constexpr AddressKey kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0};
constexpr size_t kIpv4Offset = 12;

bool bit_of(const AddressKey& key, unsigned bit) {
  return (key[bit / 8] >> (7 - bit % 8) & 1) != 0;
}

AddressKey filled(AddressKey key, unsigned bits) {
  for (unsigned bit = bits; bit < kAddressBits; ++bit)
    key[bit / 8] = static_cast<unsigned char>(key[bit / 8] | 1U << (7 - bit % 8));
  return key;
}

// False: there is no address behind it.
bool step(AddressKey& key) {
  for (size_t i = key.size(); i-- > 0;) {
    if (++key[i] != 0) return true;
  }
  return false;
}

std::optional<unsigned> number_up_to(std::string_view text, unsigned most) {
  const std::optional<uint64_t> value = text.size() <= 3 ? parse_number(text) : std::nullopt;
  if (!value || *value > most) return std::nullopt;
  return static_cast<unsigned>(*value);
}

struct Octets {
  AddressKey first = kMapped;
  AddressKey last = filled(kMapped, kIpv4Bits);
  unsigned count = 0;
};

// "192.0.2", "192.0.2.", or with a range as the last part: "192.0.2.1-9", "192.0.2-7.".
std::optional<Octets> parse_octets(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  Octets octets;
  bool was_range = false;
  for (const std::string_view part : split(text, '.')) {
    if (octets.count == 4 || was_range) return std::nullopt;
    const size_t dash = part.find('-');
    const std::optional<unsigned> low = number_up_to(part.substr(0, dash), 255);
    const std::optional<unsigned> high =
        dash == std::string_view::npos ? low : number_up_to(part.substr(dash + 1), 255);
    if (!low || !high || *low > *high) return std::nullopt;
    was_range = dash != std::string_view::npos;
    octets.first[kIpv4Offset + octets.count] = static_cast<unsigned char>(*low);
    octets.last[kIpv4Offset + octets.count] = static_cast<unsigned char>(*high);
    ++octets.count;
  }
  return octets;
}

std::optional<std::vector<AddressPrefix>> parse_cidr(std::string_view text, size_t slash) {
  const std::string_view address = text.substr(0, slash);
  const bool six = address.find(':') != std::string_view::npos;
  const std::optional<unsigned> bits = number_up_to(text.substr(slash + 1), six ? 128 : 32);
  if (!bits) return std::nullopt;
  const unsigned all = six ? *bits : *bits + kIpv4Bits;
  if (six) {
    const std::optional<AddressKey> key = parse_address(address);
    if (!key) return std::nullopt;
    return std::vector{AddressPrefix{masked(*key, all), static_cast<uint8_t>(all)}};
  }
  const std::optional<Octets> octets = parse_octets(address);
  if (!octets || address.find('-') != std::string_view::npos) return std::nullopt;
  return std::vector{AddressPrefix{masked(octets->first, all), static_cast<uint8_t>(all)}};
}

}  // namespace

std::optional<AddressKey> parse_address(std::string_view text) {
  if (text.size() >= INET6_ADDRSTRLEN) return std::nullopt;
  const std::string address(text);
  if (address.find('\0') != std::string::npos) return std::nullopt;
  AddressKey key = kMapped;
  const bool six = text.find(':') != std::string_view::npos;
  if (::inet_pton(six ? AF_INET6 : AF_INET, address.c_str(), key.data() + (six ? 0 : kIpv4Offset)) != 1)
    return std::nullopt;
  return key;
}

bool is_ipv4(const AddressKey& key) {
  return std::equal(key.begin(), key.begin() + kIpv4Offset, kMapped.begin());
}

AddressKey masked(const AddressKey& key, unsigned bits) {
  AddressKey kept{};
  std::copy_n(key.begin(), bits / 8, kept.begin());
  if (bits % 8 != 0) kept[bits / 8] = static_cast<unsigned char>(key[bits / 8] & 0xff00 >> bits % 8);
  return kept;
}

bool is_in(const AddressKey& address, const AddressPrefix& network) {
  return masked(address, network.bits) == network.key;
}

std::string address_text(const AddressKey& key) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const bool four = is_ipv4(key);
  ::inet_ntop(four ? AF_INET : AF_INET6, key.data() + (four ? kIpv4Offset : 0), text.data(), text.size());
  return text.data();
}

std::string reversed_address(const AddressKey& key) {
  std::string name;
  const bool four = is_ipv4(key);
  for (size_t i = key.size(); i-- > (four ? kIpv4Offset : 0);) {
    if (!name.empty()) name += '.';
    if (four) {
      name += std::to_string(key[i]);
    } else {
      name += kHex[key[i] & 15];
      name += '.';
      name += kHex[key[i] >> 4];
    }
  }
  return name;
}

std::vector<AddressPrefix> networks_between(AddressKey first, const AddressKey& last) {
  std::vector<AddressPrefix> networks;
  while (first <= last) {
    // The largest network that begins here and does not reach too far.
    unsigned bits = kAddressBits;
    while (bits > 0 && !bit_of(first, bits - 1) && filled(first, bits - 1) <= last) --bits;
    networks.push_back({first, static_cast<uint8_t>(bits)});
    first = filled(first, bits);
    if (!step(first)) break;
  }
  return networks;
}

std::optional<std::vector<AddressPrefix>> parse_networks(std::string_view text) {
  if (const size_t slash = text.find('/'); slash != std::string_view::npos) return parse_cidr(text, slash);
  if (const std::optional<AddressKey> address = parse_address(text))
    return std::vector{AddressPrefix{*address, kAddressBits}};
  if (const size_t dash = text.find('-'); dash != std::string_view::npos) {
    const std::optional<AddressKey> first = parse_address(text.substr(0, dash));
    const std::optional<AddressKey> last = parse_address(text.substr(dash + 1));
    if (first && last) {
      if (*last < *first || is_ipv4(*first) != is_ipv4(*last)) return std::nullopt;
      return networks_between(*first, *last);
    }
  }
  if (const std::optional<Octets> octets = parse_octets(text))
    return networks_between(octets->first, octets->last);
  return std::nullopt;
}

}  // namespace postern
