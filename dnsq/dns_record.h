// Record types by name, and their data as text: what a resolver returns in wire form and what a file holds as
// text come out the same.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern {

constexpr uint16_t kTypeA = 1;
constexpr uint16_t kTypeCname = 5;
constexpr uint16_t kTypePtr = 12;
constexpr uint16_t kTypeMx = 15;
constexpr uint16_t kTypeTxt = 16;
constexpr uint16_t kTypeAaaa = 28;
constexpr uint16_t kTypeTlsa = 52;
constexpr uint16_t kTypeAny = 255;

// "MX", "mx" or "TYPE15"; nothing for a name that we do not know.
std::optional<uint16_t> parse_dns_type(std::string_view text);
std::string format_dns_type(uint16_t type);

// Data in wire form (names not compressed) as text; types without a form of their own, and data that breaks
// its form, as \# LENGTH HEX (RFC 3597).
std::string format_dns_data(uint16_t type, std::string_view wire);

// A word of a master-file line; quotes and escapes are still in it.
struct DnsToken {
  std::string text;
  bool quoted = false;
};
// Splits a line at blanks outside quotes, up to a comment; nothing when a quote is left open.
std::optional<std::vector<DnsToken>> split_dns_line(std::string_view line);

// The same text from what a file says; nothing when it breaks the type's form.
std::optional<std::string> normalise_dns_data(uint16_t type, const std::vector<DnsToken>& tokens);

}  // namespace postern
