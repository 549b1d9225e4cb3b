#include "lib/next_hop.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kRouteLimitBytes = 300;

bool is_name(std::string_view host) {
  return std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '_' || c == '-';
  });
}

// What stands in brackets (RFC 5321 4.1.3), the tag of an IPv6 address left out as others do.
bool is_literal(std::string_view host) {
  const bool tagged = equal_ignoring_case(host.substr(0, 5), "IPv6:");
  const std::string address(host.substr(tagged ? 5 : 0));
  in6_addr binary{};
  return ::inet_pton(AF_INET6, address.c_str(), &binary) == 1 ||
         (!tagged && ::inet_pton(AF_INET, address.c_str(), &binary) == 1);
}

}  // namespace

bool is_next_hop(std::string_view text) {
  if (text.size() > kRouteLimitBytes) return false;
  const bool bracketed = text.starts_with('[');
  const size_t end = bracketed ? text.find(']') : text.find(':');
  if (bracketed && end == std::string_view::npos) return false;
  const std::string_view host = text.substr(bracketed ? 1 : 0, bracketed ? end - 1 : end);
  const std::string_view rest =
      end == std::string_view::npos ? std::string_view() : text.substr(bracketed ? end + 1 : end);
  if (bracketed ? !is_literal(host) : host.empty() || host.front() == '-' || !is_name(host)) return false;
  if (rest.empty()) return true;
  const std::optional<uint64_t> port =
      rest.front() == ':' ? parse_number(rest.substr(1)) : std::optional<uint64_t>();
  return port && *port >= 1 && *port <= 65535;
}

}  // namespace postern
