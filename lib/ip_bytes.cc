#include "lib/ip_bytes.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

namespace postern {

namespace {

constexpr std::array<uint8_t, 12> kV4Prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

}  // namespace

std::optional<IpBytes> parse_ip(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.empty() || text.size() >= terminated.size() || text.find('\0') != std::string_view::npos)
    return std::nullopt;
  std::copy(text.begin(), text.end(), terminated.begin());
  IpBytes bytes{};
  if (::inet_pton(AF_INET6, terminated.data(), bytes.data()) == 1) return bytes;
  std::copy(kV4Prefix.begin(), kV4Prefix.end(), bytes.begin());
  if (::inet_pton(AF_INET, terminated.data(), bytes.data() + kV4Prefix.size()) == 1) return bytes;
  return std::nullopt;
}

bool is_v4(const IpBytes& address) {
  return std::equal(kV4Prefix.begin(), kV4Prefix.end(), address.begin());
}

std::string ip_text(const IpBytes& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const bool v4 = is_v4(address);
  ::inet_ntop(v4 ? AF_INET : AF_INET6, address.data() + (v4 ? kV4Prefix.size() : 0), text.data(),
              text.size());
  return text.data();
}

IpBytes ip_network(IpBytes address, unsigned bits) {
  for (size_t i = 0; i < address.size(); ++i) {
    const unsigned before = static_cast<unsigned>(i) * 8;
    const unsigned kept = bits <= before ? 0 : std::min(bits - before, 8U);
    address[i] = static_cast<uint8_t>(address[i] & (0xff00U >> kept));
  }
  return address;
}

}  // namespace postern
