#include "dnsq/dns_name.h"

#include <arpa/inet.h>

#include <array>
#include <cstdint>

#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kLabelLimitBytes = 63;
constexpr size_t kNameLimitBytes = 255;
constexpr std::string_view kSpecial = "\"\\.;()@$";  // means something in a master file

bool is_graphic(char c) {
  return c > 0x20 && c < 0x7f;
}

void append_decimal_escape(char c, std::string& text) {
  const auto byte = static_cast<unsigned char>(c);
  text += '\\';
  text += static_cast<char>('0' + byte / 100);
  text += static_cast<char>('0' + byte / 10 % 10);
  text += static_cast<char>('0' + byte % 10);
}

// One label up to the next dot or the end; the dot is taken too.
std::optional<std::string> take_label(std::string_view& text) {
  std::string label;
  while (!text.empty() && text.front() != '.') {
    if (text.front() == '\\') {
      const std::optional<char> byte = take_dns_escape(text);
      if (!byte) return std::nullopt;
      label += *byte;
    } else {
      if (!is_graphic(text.front())) return std::nullopt;
      label += text.front();
      text.remove_prefix(1);
    }
  }
  if (label.empty() || label.size() > kLabelLimitBytes) return std::nullopt;
  if (!text.empty()) text.remove_prefix(1);
  return label;
}

}  // namespace

std::optional<char> take_dns_escape(std::string_view& text) {
  text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  if (text.front() < '0' || text.front() > '9') {
    if (!is_graphic(text.front()) && text.front() != ' ') return std::nullopt;
    const char c = text.front();
    text.remove_prefix(1);
    return c;
  }
  const std::optional<uint64_t> number = text.size() >= 3 ? parse_number(text.substr(0, 3)) : std::nullopt;
  if (!number || *number > 255) return std::nullopt;
  text.remove_prefix(3);
  return static_cast<char>(static_cast<unsigned char>(*number));
}

std::optional<std::string> parse_dns_name(std::string_view text) {
  if (text == ".") return std::string(1, '\0');
  if (text.empty()) return std::nullopt;
  std::string wire;
  while (!text.empty()) {
    const std::optional<std::string> label = take_label(text);
    if (!label) return std::nullopt;
    wire += static_cast<char>(label->size());
    wire += lower(*label);
    if (wire.size() >= kNameLimitBytes) return std::nullopt;
  }
  wire += '\0';
  return wire;
}

std::optional<std::string> take_wire_name(std::string_view& bytes) {
  std::string wire;
  for (;;) {
    if (bytes.empty()) return std::nullopt;
    const size_t length = static_cast<unsigned char>(bytes.front());
    if (length > kLabelLimitBytes || bytes.size() < length + 1) return std::nullopt;
    wire.append(lower(bytes.substr(0, length + 1)));
    bytes.remove_prefix(length + 1);
    if (length == 0) return wire;
    if (wire.size() >= kNameLimitBytes) return std::nullopt;
  }
}

std::string format_dns_name(std::string_view wire) {
  std::string text;
  while (!wire.empty() && wire.front() != '\0') {
    const size_t length = static_cast<unsigned char>(wire.front());
    if (!text.empty()) text += '.';
    for (const char c : wire.substr(1, length)) {
      if (is_graphic(c) && kSpecial.find(c) == std::string_view::npos) {
        text += c;
      } else {
        append_decimal_escape(c, text);
      }
    }
    wire.remove_prefix(std::min(length + 1, wire.size()));
  }
  return text.empty() ? "." : text;
}

std::optional<std::string> reverse_dns_name(std::string_view address) {
  const std::string text(address);
  std::array<unsigned char, 16> bytes{};
  std::string name;
  if (::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) {
    for (size_t i = 4; i-- > 0;) name += std::to_string(bytes.at(i)) + ".";
    return name + "in-addr.arpa";
  }
  if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return std::nullopt;
  for (size_t i = 16; i-- > 0;) {
    name += kHex[bytes.at(i) & 15];
    name += '.';
    name += kHex[bytes.at(i) >> 4];
    name += '.';
  }
  return name + "ip6.arpa";
}

std::string quote_dns_string(std::string_view bytes) {
  std::string text = "\"";
  for (const char c : bytes) {
    if (c == '"' || c == '\\') {
      text += '\\';
      text += c;
    } else if (is_graphic(c) || c == ' ') {
      text += c;
    } else {
      append_decimal_escape(c, text);
    }
  }
  return text + "\"";
}

}  // namespace postern
