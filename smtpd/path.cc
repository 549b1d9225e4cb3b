#include "smtpd/path.h"

#include <arpa/inet.h>

#include <algorithm>

#include "lib/idn.h"
#include "lib/local_part.h"
#include "lib/text.h"
#include "lib/utf8.h"

namespace postern::smtpd {

namespace {

constexpr size_t kLabelLimitBytes = 63;

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_label(std::string_view label) {
  if (label.empty() || label.size() > kLabelLimitBytes || label.front() == '-' || label.back() == '-')
    return false;
  return std::all_of(label.begin(), label.end(),
                     [](char c) { return is_letter_or_digit(c) || c == '-' || c == '_'; });
}

// Takes text off the front of what is left; every function says false when it does not fit.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}
  [[nodiscard]] std::string_view rest() const { return rest_; }
  [[nodiscard]] bool at(char c) const { return rest_.starts_with(c); }

  bool take(char c) {
    if (!at(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // Up to the first of `ends`, which must be there and is left.
  std::optional<std::string_view> take_until(std::string_view ends) {
    const size_t end = rest_.find_first_of(ends);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view taken = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return taken;
  }

  // The content of "...", without its quotes and backslashes.
  std::optional<std::string> take_quoted() {
    if (!take('"')) return std::nullopt;
    std::string content;
    while (!rest_.empty()) {
      if (take('"')) return content;
      if (take('\\') && rest_.empty()) return std::nullopt;
      const char c = rest_.front();
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return std::nullopt;
      content += c;
      rest_.remove_prefix(1);
    }
    return std::nullopt;
  }

 private:
  std::string_view rest_;
};

std::string quoted_where_needed(std::string_view content) {
  if (is_dot_string(content, Utf8::yes)) return std::string(content);
  std::string quoted = "\"";
  for (const char c : content) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

// In lower case, as A-labels.
std::optional<std::string> parse_domain(std::string_view text) {
  if (text.starts_with('[')) return is_domain(text) ? std::optional(lower(text)) : std::nullopt;
  Result<std::string> domain = a_labels(text);
  return domain && is_domain(*domain) ? std::optional(std::move(*domain)) : std::nullopt;
}

// @one,@two:  RFC 5321 says to accept and to ignore it.
bool take_source_route(Scanner& scanner) {
  while (scanner.take('@')) {
    const std::optional<std::string_view> domain = scanner.take_until(",:>");
    if (!domain || !parse_domain(*domain)) return false;
    if (scanner.take(':')) return true;
    if (!scanner.take(',')) return false;
  }
  return false;
}

std::optional<std::string> take_local_part(Scanner& scanner) {
  if (scanner.at('"')) {
    const std::optional<std::string> content = scanner.take_quoted();
    if (!content) return std::nullopt;
    return quoted_where_needed(*content);
  }
  const std::optional<std::string_view> text = scanner.take_until("@>");
  if (!text || !is_dot_string(*text, Utf8::yes)) return std::nullopt;
  return std::string(*text);
}

bool is_address_of(int family, std::string_view text) {
  unsigned char address[sizeof(in6_addr)];
  return ::inet_pton(family, std::string(text).c_str(), address) == 1;
}

}  // namespace

bool is_address_literal(std::string_view text) {
  if (text.size() < 3 || text.size() > kDomainLimitBytes || !text.starts_with('[') || !text.ends_with(']'))
    return false;
  text = text.substr(1, text.size() - 2);
  if (text.find('\0') != std::string_view::npos) return false;
  if (text.size() > 5 && equal_ignoring_case(text.substr(0, 5), "IPv6:"))
    return is_address_of(AF_INET6, text.substr(5));
  return is_address_of(AF_INET, text);
}

bool is_domain(std::string_view text) {
  if (text.starts_with('[')) return is_address_literal(text);
  if (text.empty() || text.size() > kDomainLimitBytes) return false;
  const std::vector<std::string_view> labels = split(text, '.');
  return std::all_of(labels.begin(), labels.end(), is_label);
}

std::optional<Path> parse_path(std::string_view text) {
  Scanner scanner(text);
  Path path;
  const auto finished = [&]() -> std::optional<Path> {
    if (!scanner.take('>')) return std::nullopt;
    path.length = text.size() - scanner.rest().size();
    const std::string_view taken = text.substr(0, path.length);
    path.utf8 = has_8bit_byte(taken);
    if (path.length > kPathLimitBytes || path.address.size() + 2 > kPathLimitBytes || !is_utf8(taken)) {
      return std::nullopt;
    }
    return path;
  };
  if (!scanner.take('<')) return std::nullopt;
  if (scanner.at('>')) return finished();
  if (scanner.at('@') && !take_source_route(scanner)) return std::nullopt;
  const std::optional<std::string> local = take_local_part(scanner);
  if (!local) return std::nullopt;
  if (scanner.at('>')) {
    // Whoever looks for the domain behind the last @ would find one inside the quotes.
    if (local->find('@') != std::string::npos) return std::nullopt;
    path.address = *local;
    return finished();
  }
  if (!scanner.take('@')) return std::nullopt;
  const std::optional<std::string_view> text_of_domain = scanner.take_until(">");
  const std::optional<std::string> domain =
      text_of_domain ? parse_domain(*text_of_domain) : std::optional<std::string>();
  if (!domain) return std::nullopt;
  path.address = *local + "@" + *domain;
  return finished();
}

std::optional<Path> parse_malformed_path(std::string_view text) {
  const size_t end = text.find('>');
  if (!text.starts_with('<') || end == std::string_view::npos || end + 1 > kPathLimitBytes)
    return std::nullopt;
  const std::string_view inside = text.substr(1, end - 1);
  const bool harmless = std::all_of(inside.begin(), inside.end(),
                                    [](char c) { return c > 0x20 && c < 0x7f && c != '<' && c != '"'; });
  if (!harmless || inside.empty()) return std::nullopt;
  return Path{.address = std::string(inside), .length = end + 1};
}

}  // namespace postern::smtpd
