#include "lib/dns_text.h"

#include <algorithm>

#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kLabelLimitBytes = 63;  // RFC 1035, 2.3.4
constexpr size_t kNameLimitBytes = 253;  // the same, without the length bytes at both ends

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// One character of a master file's string at `at`, which moves behind it.
std::optional<char> take_character(std::string_view data, size_t& at) {
  if (data[at] != '\\') return data[at++];
  if (at + 1 >= data.size()) return std::nullopt;
  if (!is_digit(data[at + 1])) {
    at += 2;
    return data[at - 1];
  }
  if (at + 3 >= data.size() || !is_digit(data[at + 2]) || !is_digit(data[at + 3])) return std::nullopt;
  const int value = (data[at + 1] - '0') * 100 + (data[at + 2] - '0') * 10 + (data[at + 3] - '0');
  at += 4;
  if (value > 255) return std::nullopt;
  return static_cast<char>(value);
}

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '-' || c == '_';
}

}  // namespace

std::optional<std::string> txt_bytes(std::string_view data) {
  std::string bytes;
  bool quoted = false;
  for (size_t at = 0; at < data.size();) {
    if (data[at] == '"') {
      quoted = !quoted;
      ++at;
    } else if (!quoted && (data[at] == ' ' || data[at] == '\t')) {
      ++at;
    } else {
      const std::optional<char> c = take_character(data, at);
      if (!c) return std::nullopt;
      bytes += *c;
    }
  }
  if (quoted) return std::nullopt;
  return bytes;
}

std::optional<std::string> dns_question_name(std::string_view bytes) {
  if (bytes.ends_with('.')) bytes.remove_suffix(1);
  if (bytes.empty() || bytes.size() > kNameLimitBytes) return std::nullopt;
  std::string name;
  for (const std::string_view label : split(bytes, '.')) {
    if (label.empty() || label.size() > kLabelLimitBytes) return std::nullopt;
    if (!name.empty()) name += '.';
    for (const char c : label) {
      if (is_plain(c)) {
        name += c;
        continue;
      }
      const auto byte = static_cast<unsigned char>(c);
      name += '\\';
      name += static_cast<char>('0' + byte / 100);
      name += static_cast<char>('0' + byte / 10 % 10);
      name += static_cast<char>('0' + byte % 10);
    }
  }
  return name;
}

}  // namespace postern
