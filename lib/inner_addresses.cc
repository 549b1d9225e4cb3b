#include "lib/inner_addresses.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

#include "lib/text.h"

namespace postern {

namespace {

constexpr unsigned kMappedBits = 96;
constexpr AnyAddress kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct Prefix {
  std::array<unsigned char, 4> bytes;
  unsigned bits;
};
constexpr std::array kInner4 = {
    Prefix{{0, 0, 0, 0}, 8},       // RFC 1122: this host, this network
    Prefix{{10, 0, 0, 0}, 8},      // RFC 1918
    Prefix{{100, 64, 0, 0}, 10},   // RFC 6598
    Prefix{{127, 0, 0, 0}, 8},     // loopback
    Prefix{{169, 254, 0, 0}, 16},  // link-local; the metadata of clouds
    Prefix{{172, 16, 0, 0}, 12},   // RFC 1918
    Prefix{{192, 0, 0, 0}, 24},    // RFC 6890
    Prefix{{192, 168, 0, 0}, 16},  // RFC 1918
    Prefix{{198, 18, 0, 0}, 15},   // RFC 2544
    Prefix{{224, 0, 0, 0}, 4},     // multicast
    Prefix{{240, 0, 0, 0}, 4},     // reserved, broadcast
};
constexpr std::array kInner6 = {
    Prefix{{0xfc, 0, 0, 0}, 7},      // unique local
    Prefix{{0xfe, 0x80, 0, 0}, 10},  // link-local
    Prefix{{0xfe, 0xc0, 0, 0}, 10},  // site-local, of old
    Prefix{{0xff, 0, 0, 0}, 8},      // multicast
};

bool same_bits(const unsigned char* a, const unsigned char* b, unsigned bits) {
  const size_t whole = bits / 8;
  if (std::memcmp(a, b, whole) != 0) return false;
  const unsigned left = bits % 8;
  return left == 0 || (a[whole] ^ b[whole]) >> (8 - left) == 0;
}

template <size_t N>
bool begins_as_one_of(const std::array<Prefix, N>& prefixes, const unsigned char* bytes) {
  return std::any_of(prefixes.begin(), prefixes.end(), [&](const Prefix& prefix) {
    return same_bits(prefix.bytes.data(), bytes, prefix.bits);
  });
}

bool is_ipv4(const AnyAddress& address) {
  return same_bits(address.data(), kMapped.data(), kMappedBits);
}

}  // namespace

std::optional<AnyAddress> parse_any_address(std::string_view text) {
  const std::string copy{text};
  AnyAddress address = kMapped;
  if (::inet_pton(AF_INET, copy.c_str(), address.data() + 12) == 1) return address;
  if (::inet_pton(AF_INET6, copy.c_str(), address.data()) == 1) return address;
  return std::nullopt;
}

bool is_inner_address(const AnyAddress& address) {
  static constexpr AnyAddress kZero{};
  static constexpr AnyAddress kNat64 = {0, 0x64, 0xff, 0x9b};
  static constexpr std::array<unsigned char, 4> k6to4 = {0x20, 0x02, 0, 0};
  const unsigned char* const bytes = address.data();
  // ::/96 has the unspecified address and loopback, too.
  if (is_ipv4(address) || same_bits(bytes, kZero.data(), 96) || same_bits(bytes, kNat64.data(), 96))
    return begins_as_one_of(kInner4, bytes + 12);
  if (same_bits(bytes, k6to4.data(), 16)) return begins_as_one_of(kInner4, bytes + 2);
  return begins_as_one_of(kInner6, bytes);
}

Result<Networks> Networks::parse(const std::vector<std::string>& lines, const std::string& where) {
  Networks networks;
  for (const std::string& line : lines) {
    const size_t slash = line.find('/');
    const std::string_view text = std::string_view(line).substr(0, slash);
    const std::optional<AnyAddress> address = parse_any_address(text);
    const unsigned most = text.find(':') == std::string_view::npos ? 32 : 128;
    const std::optional<uint64_t> bits =
        slash == std::string::npos ? most : parse_number(std::string_view(line).substr(slash + 1));
    if (!address || !bits || *bits > most)
      return permanent("read " + where + ": \"" + printable(line, 80) +
                       "\" is no network; write 192.0.2.1, 192.0.2.0/24 or fd00::/8");
    networks.networks_.push_back({*address, static_cast<unsigned>(*bits) + (128 - most)});
  }
  return networks;
}

bool Networks::contain(const AnyAddress& address) const {
  return std::any_of(networks_.begin(), networks_.end(), [&](const Network& network) {
    return same_bits(network.address.data(), address.data(), network.bits);
  });
}

}  // namespace postern
