#include "dnsq/dns_record.h"

#include <arpa/inet.h>

#include <array>
#include <utility>

#include "dnsq/dns_name.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr uint16_t kTypeNs = 2;
constexpr uint16_t kTypeSrv = 33;
constexpr uint16_t kTypeDname = 39;
constexpr uint16_t kTypeSpf = 99;
constexpr size_t kStringLimitBytes = 255;

constexpr std::array<std::pair<uint16_t, std::string_view>, 16> kTypes = {{
    {kTypeA, "A"},
    {kTypeNs, "NS"},
    {kTypeCname, "CNAME"},
    {6, "SOA"},
    {kTypePtr, "PTR"},
    {kTypeMx, "MX"},
    {kTypeTxt, "TXT"},
    {kTypeAaaa, "AAAA"},
    {kTypeSrv, "SRV"},
    {kTypeDname, "DNAME"},
    {43, "DS"},
    {48, "DNSKEY"},
    {kTypeTlsa, "TLSA"},
    {kTypeSpf, "SPF"},
    {kTypeAny, "ANY"},
    {257, "CAA"},
}};

// How the data of a type is made up, a letter each: n a name, 1 and 2 numbers of so many bytes, 4 and 6
// addresses, s strings to the end, x hexadecimal to the end. Empty: only the generic form.
std::string_view layout(uint16_t type) {
  switch (type) {
    case kTypeA:
      return "4";
    case kTypeAaaa:
      return "6";
    case kTypeNs:
    case kTypeCname:
    case kTypeDname:
    case kTypePtr:
      return "n";
    case kTypeMx:
      return "2n";
    case kTypeTxt:
    case kTypeSpf:
      return "s";
    case kTypeSrv:
      return "222n";
    case kTypeTlsa:
      return "111x";
    default:
      return "";
  }
}

std::string generic(std::string_view wire) {
  return "\\# " + std::to_string(wire.size()) + (wire.empty() ? "" : " ") + hexadecimal(wire);
}

std::optional<std::string> take_number(std::string_view& wire, size_t bytes) {
  if (wire.size() < bytes) return std::nullopt;
  unsigned number = 0;
  for (const char c : wire.substr(0, bytes)) number = number << 8 | static_cast<unsigned char>(c);
  wire.remove_prefix(bytes);
  return std::to_string(number);
}

std::optional<std::string> take_address(std::string_view& wire, int family, size_t bytes) {
  if (wire.size() < bytes) return std::nullopt;
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(family, wire.data(), text.data(), text.size());
  wire.remove_prefix(bytes);
  return std::string(text.data());
}

std::optional<std::string> take_strings(std::string_view& wire) {
  std::string text;
  while (!wire.empty()) {
    const size_t length = static_cast<unsigned char>(wire.front());
    if (wire.size() < length + 1) return std::nullopt;
    if (!text.empty()) text += ' ';
    text += quote_dns_string(wire.substr(1, length));
    wire.remove_prefix(length + 1);
  }
  return text.empty() ? std::nullopt : std::optional(text);
}

std::optional<std::string> take_field(char form, std::string_view& wire) {
  switch (form) {
    case '1':
      return take_number(wire, 1);
    case '2':
      return take_number(wire, 2);
    case '4':
      return take_address(wire, AF_INET, 4);
    case '6':
      return take_address(wire, AF_INET6, 16);
    case 's':
      return take_strings(wire);
    case 'x':
      return hexadecimal(std::exchange(wire, {}));
    default:
      break;
  }
  const std::optional<std::string> name = take_wire_name(wire);
  return name ? std::optional(format_dns_name(*name)) : std::nullopt;
}

// A character-string of a file, without its escapes.
std::optional<std::string> unescape(std::string_view text) {
  std::string bytes;
  while (!text.empty()) {
    if (text.front() == '\\') {
      const std::optional<char> byte = take_dns_escape(text);
      if (!byte) return std::nullopt;
      bytes += *byte;
    } else {
      bytes += text.front();
      text.remove_prefix(1);
    }
  }
  if (bytes.size() > kStringLimitBytes) return std::nullopt;
  return bytes;
}

std::optional<std::string> normalise_address(const std::string& text, int family) {
  std::array<unsigned char, 16> bytes{};
  std::array<char, INET6_ADDRSTRLEN> normal{};
  if (::inet_pton(family, text.c_str(), bytes.data()) != 1) return std::nullopt;
  ::inet_ntop(family, bytes.data(), normal.data(), normal.size());
  return std::string(normal.data());
}

std::optional<std::string> normalise_hexadecimal(std::string_view text) {
  std::string normal = lower(text);
  if (normal.size() % 2 != 0 || normal.find_first_not_of(kHex) != std::string::npos) return std::nullopt;
  return normal;
}

std::optional<std::string> normalise_field(char form, const DnsToken& token) {
  const uint64_t limit = form == '1' ? 255 : 65535;
  switch (form) {
    case '1':
    case '2': {
      const std::optional<uint64_t> number = parse_number(token.text);
      return number && *number <= limit ? std::optional(std::to_string(*number)) : std::nullopt;
    }
    case '4':
      return normalise_address(token.text, AF_INET);
    case '6':
      return normalise_address(token.text, AF_INET6);
    case 'x':
      return normalise_hexadecimal(token.text);
    case 's': {
      const std::optional<std::string> bytes = unescape(token.text);
      return bytes ? std::optional(quote_dns_string(*bytes)) : std::nullopt;
    }
    default:
      break;
  }
  const std::optional<std::string> wire = parse_dns_name(token.text);
  return wire ? std::optional(format_dns_name(*wire)) : std::nullopt;
}

// \# LENGTH HEX...
std::optional<std::string> normalise_generic(const std::vector<DnsToken>& tokens) {
  const std::optional<uint64_t> length = tokens.size() >= 2 ? parse_number(tokens[1].text) : std::nullopt;
  if (!length || tokens[0].text != "\\#") return std::nullopt;
  std::string digits;
  for (size_t i = 2; i < tokens.size(); ++i) digits += tokens[i].text;
  const std::optional<std::string> hex = normalise_hexadecimal(digits);
  if (!hex || hex->size() != 2 * *length) return std::nullopt;
  return "\\# " + std::to_string(*length) + (hex->empty() ? "" : " ") + *hex;
}

// One token to its end; the cursor is on its first byte.
std::optional<DnsToken> take_token(std::string_view& line) {
  DnsToken token;
  token.quoted = line.front() == '"';
  if (token.quoted) line.remove_prefix(1);
  while (!line.empty()) {
    const char c = line.front();
    if (token.quoted ? c == '"' : (c == ' ' || c == '\t' || c == ';' || c == '"')) break;
    const size_t length = c == '\\' && line.size() > 1 ? 2 : 1;
    token.text += line.substr(0, length);
    line.remove_prefix(length);
  }
  if (!token.quoted) return token;
  if (line.empty()) return std::nullopt;
  line.remove_prefix(1);
  return token;
}

}  // namespace

std::optional<uint16_t> parse_dns_type(std::string_view text) {
  for (const auto& [type, name] : kTypes) {
    if (equal_ignoring_case(name, text)) return type;
  }
  if (text.size() <= 4 || !equal_ignoring_case(text.substr(0, 4), "TYPE")) return std::nullopt;
  const std::optional<uint64_t> number = parse_number(text.substr(4));
  if (!number || *number == 0 || *number > 65535) return std::nullopt;
  return static_cast<uint16_t>(*number);
}

std::string format_dns_type(uint16_t type) {
  for (const auto& [number, name] : kTypes) {
    if (number == type) return std::string(name);
  }
  return "TYPE" + std::to_string(type);
}

std::string format_dns_data(uint16_t type, std::string_view wire) {
  const std::string_view whole = wire;
  if (layout(type).empty()) return generic(whole);
  std::string text;
  for (const char form : layout(type)) {
    const std::optional<std::string> field = take_field(form, wire);
    if (!field) return generic(whole);
    if (!text.empty()) text += ' ';
    text += *field;
  }
  return wire.empty() ? text : generic(whole);
}

std::optional<std::vector<DnsToken>> split_dns_line(std::string_view line) {
  std::vector<DnsToken> tokens;
  for (;;) {
    const size_t begin = line.find_first_not_of(" \t\r");
    if (begin == std::string_view::npos || line[begin] == ';') return tokens;
    line.remove_prefix(begin);
    std::optional<DnsToken> token = take_token(line);
    if (!token) return std::nullopt;
    tokens.push_back(std::move(*token));
  }
}

std::optional<std::string> normalise_dns_data(uint16_t type, const std::vector<DnsToken>& tokens) {
  if (tokens.empty()) return std::nullopt;
  const std::string_view forms = layout(type);
  if (tokens.front().text == "\\#" || forms.empty()) return normalise_generic(tokens);
  if (forms != "s" && tokens.size() != forms.size()) return std::nullopt;
  std::string text;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const std::optional<std::string> field = normalise_field(forms == "s" ? 's' : forms[i], tokens[i]);
    if (!field) return std::nullopt;
    if (i > 0) text += ' ';
    text += *field;
  }
  return text;
}

}  // namespace postern
