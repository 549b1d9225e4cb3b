#include "lib/next_hop.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kRouteLimitBytes = 300;

bool is_one_of(char c, std::string_view extra) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         extra.find(c) != std::string_view::npos;
}

bool all_of(std::string_view text, std::string_view extra) {
  return std::all_of(text.begin(), text.end(), [&](char c) { return is_one_of(c, extra); });
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
  if (host.empty() || host.front() == '-' || !all_of(host, bracketed ? ".:" : "._-")) return false;
  if (rest.empty()) return true;
  const std::optional<uint64_t> port =
      rest.front() == ':' ? parse_number(rest.substr(1)) : std::optional<uint64_t>();
  return port && *port >= 1 && *port <= 65535;
}

}  // namespace postern
