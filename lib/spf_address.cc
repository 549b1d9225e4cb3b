#include "lib/spf_address.h"

#include <arpa/inet.h>

#include <algorithm>

#include "lib/text.h"

namespace postern {

namespace {

constexpr std::array<uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

}  // namespace

std::optional<SpfAddress> parse_spf_address(std::string_view text) {
  if (text.size() >= INET6_ADDRSTRLEN || text.find('\0') != std::string_view::npos) return std::nullopt;
  const std::string ended(text);
  SpfAddress address;
  if (::inet_pton(AF_INET, ended.c_str(), address.bytes.data()) == 1) return address;
  if (::inet_pton(AF_INET6, ended.c_str(), address.bytes.data()) != 1) return std::nullopt;
  address.ipv6 = true;
  if (!std::equal(kMapped.begin(), kMapped.end(), address.bytes.begin())) return address;
  SpfAddress inner;
  std::copy(address.bytes.begin() + kMapped.size(), address.bytes.end(), inner.bytes.begin());
  return inner;
}

bool is_within(const SpfAddress& address, const SpfAddress& network, unsigned prefix) {
  if (address.ipv6 != network.ipv6) return false;
  prefix = std::min(prefix, address.ipv6 ? 128U : 32U);
  for (size_t i = 0; i < 16 && prefix > 0; ++i) {
    const unsigned bits = std::min(prefix, 8U);
    const auto mask = static_cast<uint8_t>(0xff00U >> bits);
    if ((address.bytes.at(i) & mask) != (network.bytes.at(i) & mask)) return false;
    prefix -= bits;
  }
  return true;
}

std::string format_spf_address(const SpfAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(address.ipv6 ? AF_INET6 : AF_INET, address.bytes.data(), text.data(), text.size());
  return text.data();
}

std::string dotted_spf_address(const SpfAddress& address) {
  if (!address.ipv6) return format_spf_address(address);
  std::string text;
  for (const uint8_t byte : address.bytes) {
    if (!text.empty()) text += '.';
    text += kCapitalHex[byte >> 4];
    text += '.';
    text += kCapitalHex[byte & 15];
  }
  return text;
}

}  // namespace postern
