#include "lib/next_hop.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kRouteLimitBytes = 300;
constexpr size_t kSocketPathLimitBytes = sizeof(sockaddr_un::sun_path) - 1;
constexpr std::string_view kLmtp = "lmtp:";

bool is_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_name(std::string_view host) {
  return !host.starts_with('-') && std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '_' || c == '-';
  });
}

// A name may have letters that are not ASCII (IDNA).
bool is_host_text(std::string_view host) {
  return std::none_of(host.begin(), host.end(), [](char c) {
    return (c >= 0 && c <= ' ') || c == 0x7f ||
           std::string_view("[]\"\\/@=,").find(c) != std::string_view::npos;
  });
}

Result<NextHop> parse_socket(std::string_view path) {
  const bool plain = std::all_of(path.begin(), path.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (path.size() > kSocketPathLimitBytes || !plain || path.find_first_of(",\\") != std::string_view::npos) {
    return temporary("\"" + printable(path, 120) + "\" is not the path of a socket: at most " +
                     std::to_string(kSocketPathLimitBytes) + " bytes, without blanks and commas");
  }
  return NextHop{.way = NextHop::Way::lmtp, .host = std::string(path), .port = 0};
}

Result<NextHop> parse_host(std::string_view text) {
  const size_t bracket = text.starts_with('[') ? text.find(']') : 0;
  const size_t colon = bracket == std::string_view::npos ? bracket : text.find(':', bracket);
  const std::string_view host = text.substr(0, colon);
  const std::string_view port = colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  NextHop hop{.way = NextHop::Way::smtp, .host = address_literal(host), .port = 0};
  if (hop.host.empty()) {
    if (!is_host_text(host))
      return temporary("\"" + printable(host, 80) + "\" is neither a host nor an address");
    if (!host.empty() && is_digits(host))
      return temporary("\"" + printable(host, 40) +
                       "\" is a number and no host; a port alone stands behind two colons");
    hop.host = host;
  }
  if (host.empty() || equal_ignoring_case(host, "USEDNS")) hop = {};
  if (port.empty()) return hop;
  const std::optional<uint64_t> number = parse_number(port);
  if (!number || *number == 0 || *number > 65535)
    return temporary("\"" + printable(port, 80) +
                     "\" is not a port: it is 1 to 65535, and an IPv6 address stands in brackets");
  hop.port = static_cast<uint16_t>(*number);
  return hop;
}

}  // namespace

std::string address_literal(std::string_view host) {
  bool tagged = false;
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    tagged = host.size() > 5 && equal_ignoring_case(host.substr(0, 5), "IPv6:");
    if (tagged) host.remove_prefix(5);
  }
  const std::string text(host);
  std::array<unsigned char, 16> bytes{};
  std::array<char, INET6_ADDRSTRLEN> normal{};
  for (const int family : {AF_INET, AF_INET6}) {
    if (tagged && family == AF_INET) continue;
    if (::inet_pton(family, text.c_str(), bytes.data()) == 1) {
      return ::inet_ntop(family, bytes.data(), normal.data(), normal.size());
    }
  }
  return {};
}

Result<NextHop> parse_next_hop(std::string_view text) {
  if (text == "/dev/null") return NextHop{.way = NextHop::Way::discard, .host = {}, .port = 0};
  if (text.starts_with('/'))
    return temporary("\"" + printable(text, 80) +
                     "\" is no host; write lmtp:/PATH for a socket, or /dev/null");
  const bool tagged = text.size() > kLmtp.size() && equal_ignoring_case(text.substr(0, kLmtp.size()), kLmtp);
  // "lmtp:2525" is a host of that name with its port.
  if (!tagged || is_digits(text.substr(kLmtp.size()))) return parse_host(text);
  text.remove_prefix(kLmtp.size());
  if (text.starts_with('/')) return parse_socket(text);
  Result<NextHop> hop = parse_host(text);
  if (hop && hop->way == NextHop::Way::mx)
    return temporary("LMTP needs a host or a socket; write lmtp:HOST:PORT or lmtp:/PATH");
  if (hop) hop->way = NextHop::Way::lmtp;
  return hop;
}

bool is_next_hop(std::string_view text) {
  if (text.empty() || text.size() > kRouteLimitBytes) return false;
  const std::vector<std::string_view> parts = split(text, ',');
  return std::all_of(parts.begin(), parts.end(), [&](std::string_view part) {
    if (part.empty() || part.starts_with(':') || part.ends_with(':')) return false;
    const Result<NextHop> hop = parse_next_hop(part);
    if (!hop) return false;
    const bool literal = !address_literal(hop->host).empty();
    return (literal || hop->host.starts_with('/') || is_name(hop->host)) &&
           (hop->way != NextHop::Way::discard || parts.size() == 1);
  });
}

}  // namespace postern
