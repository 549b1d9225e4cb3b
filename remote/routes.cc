#include "remote/routes.h"

#include <arpa/inet.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <optional>

#include "lib/fd.h"
#include "lib/text.h"
#include "lib/idn.h"

namespace postern {

namespace {

constexpr size_t kFileLimitBytes = 16 * 1024 * 1024;

// Up to the next colon outside brackets; the colon is taken too. Nothing when there is nothing left.
std::optional<std::string_view> take_field(std::string_view& line, bool& more) {
  if (!more) return std::nullopt;
  const size_t from = line.starts_with('[') ? line.find(']') : 0;
  const size_t colon = from == std::string_view::npos ? from : line.find(':', from);
  const std::string_view field = line.substr(0, colon);
  more = colon != std::string_view::npos;
  line.remove_prefix(more ? colon + 1 : line.size());
  return trim(field);
}

Result<Route> parse_target(std::string_view host, std::string_view port) {
  Route route;
  const std::string literal = address_literal(host);
  Result<std::string> name = a_labels(host);
  if (!name) return temporary(name.failure().text);
  route.host = literal.empty() ? *name : literal;
  if (literal.empty() && host.find_first_of("[] \t\\\"") != std::string_view::npos) {
    return temporary("\"" + printable(host, 80) + "\" is neither a host nor an address");
  }
  if (port.empty()) return route;
  const std::optional<uint64_t> number = parse_number(port);
  if (!number || *number == 0 || *number > 65535)
    return temporary("\"" + printable(port, 20) + "\" is not a port");
  route.port = static_cast<uint16_t>(*number);
  return route;
}

}  // namespace

std::string address_literal(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    if (host.size() > 5 && equal_ignoring_case(host.substr(0, 5), "IPv6:")) host.remove_prefix(5);
  }
  const std::string text(host);
  std::array<unsigned char, 16> bytes{};
  std::array<char, INET6_ADDRSTRLEN> normal{};
  for (const int family : {AF_INET, AF_INET6}) {
    if (::inet_pton(family, text.c_str(), bytes.data()) == 1) {
      return ::inet_ntop(family, bytes.data(), normal.data(), normal.size());
    }
  }
  return {};
}

Result<Route> parse_route(std::string_view text) {
  bool more = true;
  const std::string_view host = *take_field(text, more);
  const std::string_view port = take_field(text, more).value_or("");
  if (more || host.empty()) return temporary("POSTERN_ROUTE must be HOST or HOST:PORT", 0, "4.3.5");
  Result<Route> route = parse_target(host, port);
  if (!route) return temporary("POSTERN_ROUTE: " + route.failure().text, 0, "4.3.5");
  return route;
}

Result<RouteTable> RouteTable::parse(std::string_view text, std::string_view file_name) {
  RouteTable table;
  size_t number = 0;
  for (const std::string_view whole : split(text, '\n')) {
    ++number;
    std::string_view line = trim(whole);
    if (line.empty() || line.front() == '#') continue;
    bool more = true;
    const std::string_view domain = *take_field(line, more);
    const std::optional<std::string_view> host = take_field(line, more);
    const std::string_view port = take_field(line, more).value_or("");
    Result<Route> route = host ? parse_target(*host, port) : temporary("a line reads DOMAIN:HOST:PORT");
    Result<std::string> name = a_labels(domain);
    if (route && !name) route = temporary(name.failure().text);
    if (route && more) route = temporary("more than three fields; put an IPv6 address in brackets");
    if (!route) {
      const std::string where = printable(file_name) + ":" + std::to_string(number) + ": ";
      return temporary(where + route.failure().text, 55, "4.3.5");
    }
    table.routes_.try_emplace(*name, std::move(*route));
  }
  return table;
}

Route RouteTable::find(std::string_view domain) const {
  const std::string name = lower(domain);
  if (const auto exact = routes_.find(name); exact != routes_.end()) return exact->second;
  for (size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1)) {
    if (const auto parent = routes_.find(name.substr(dot)); parent != routes_.end()) return parent->second;
  }
  const auto all = routes_.find("");
  return all == routes_.end() ? Route{} : all->second;
}

Result<Route> RouteFile::find(std::string_view domain) {
  struct stat status {};
  if (::stat(path_.c_str(), &status) < 0) {
    if (errno != ENOENT) return os_failure("look at " + path_, errno, 55);
    loaded_ = false;
    return Route{};
  }
  const int64_t changed = static_cast<int64_t>(status.st_mtim.tv_sec) * 1000000000 + status.st_mtim.tv_nsec;
  if (!loaded_ || changed != changed_nanoseconds_ || status.st_size != size_bytes_) {
    Result<std::string> text = read_file(path_, kFileLimitBytes);
    if (!text) return text.failure();
    Result<RouteTable> table = RouteTable::parse(*text, path_);
    if (!table) return table.failure();
    table_ = std::move(*table);
    loaded_ = true;
    changed_nanoseconds_ = changed;
    size_bytes_ = status.st_size;
  }
  return table_.find(domain);
}

}  // namespace postern
