#include "receipt/canonical_address.h"

#include <arpa/inet.h>

#include <array>
#include <cstring>

namespace postern {

std::string canonical_address(const in_addr& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(AF_INET, &address, text.data(), text.size());
  return text.data();
}

std::string canonical_address(const in6_addr& address) {
  if (IN6_IS_ADDR_V4MAPPED(&address)) {
    in_addr inside{};
    std::memcpy(&inside, &address.s6_addr[12], sizeof inside);
    return canonical_address(inside);
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(AF_INET6, &address, text.data(), text.size());
  return text.data();
}

std::optional<std::string> canonical_address(std::string_view text, int family) {
  if (text.empty() || text.size() >= INET6_ADDRSTRLEN || text.find('\0') != std::string_view::npos)
    return std::nullopt;
  const std::string ended(text);
  in_addr v4{};
  in6_addr v6{};
  if (family == AF_INET && ::inet_pton(AF_INET, ended.c_str(), &v4) == 1) return canonical_address(v4);
  if (family == AF_INET6 && ::inet_pton(AF_INET6, ended.c_str(), &v6) == 1) return canonical_address(v6);
  return std::nullopt;
}

std::optional<std::string> canonical_address(std::string_view text) {
  return canonical_address(text, text.find(':') == std::string_view::npos ? AF_INET : AF_INET6);
}

}  // namespace postern
