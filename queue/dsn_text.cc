#include "queue/dsn_text.h"

#include <algorithm>
#include <optional>

#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kAddressBytes = 1003;
constexpr size_t kLineBytes = 76;  // RFC 2045 6.7 (5)
constexpr std::string_view kHex = "0123456789ABCDEF";

unsigned char byte_of(char c) {
  return static_cast<unsigned char>(c);
}

struct CodePoint {
  char32_t value;
  size_t bytes;
};

// The code point that the text begins with; nothing where it is not well-formed UTF-8.
std::optional<CodePoint> first_code_point(std::string_view text) {
  const unsigned char lead = byte_of(text.front());
  if (lead < 0x80) return CodePoint{lead, 1};
  const size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < bytes) return std::nullopt;
  char32_t value = lead & (0xffU >> (bytes + 1));
  for (size_t i = 1; i < bytes; ++i) {
    if ((byte_of(text[i]) & 0xc0) != 0x80) return std::nullopt;
    value = value << 6 | (byte_of(text[i]) & 0x3f);
  }
  const bool overlong = (bytes == 3 && value < 0x800) || (bytes == 4 && value < 0x10000);
  if (overlong || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return std::nullopt;
  return CodePoint{value, bytes};
}

std::string hex_of(char32_t value) {
  std::string digits;
  for (; value != 0; value >>= 4) digits.insert(digits.begin(), kHex[value & 15]);
  return digits.size() < 2 ? std::string(2 - digits.size(), '0') + digits : digits;
}

// QCHAR of RFC 6533 3 stand for themselves, everything else becomes \x{HEX}.
std::string utf8_address_xtext(std::string_view address) {
  std::string text;
  while (!address.empty()) {
    const CodePoint first = first_code_point(address).value_or(CodePoint{'?', 1});
    const bool plain = first.value > 0x20 && first.value < 0x7f && first.value != '+' && first.value != '=' &&
                       first.value != '\\';
    if (plain) {
      text += static_cast<char>(first.value);
    } else {
      text.append("\\x{").append(hex_of(first.value)).append("}");
    }
    address.remove_prefix(first.bytes);
  }
  return text;
}

std::optional<unsigned> hex_digit(char c) {
  const size_t at = kHex.find(c);
  return at == std::string_view::npos ? std::nullopt : std::optional<unsigned>(static_cast<unsigned>(at));
}

}  // namespace

bool is_ascii(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) { return byte_of(c) < 0x80; });
}

bool is_utf8(std::string_view bytes) {
  if (is_ascii(bytes)) return false;
  while (!bytes.empty()) {
    const std::optional<CodePoint> first = first_code_point(bytes);
    if (!first) return false;
    bytes.remove_prefix(first->bytes);
  }
  return true;
}

std::string safe_text(std::string_view bytes, size_t limit, Alphabet alphabet) {
  const bool keeps = alphabet == Alphabet::utf8 && bytes.size() <= limit && is_utf8(bytes);
  const bool cut = bytes.size() > limit;
  std::string text;
  for (bytes = bytes.substr(0, limit); !bytes.empty();) {
    const CodePoint first = keeps ? *first_code_point(bytes) : CodePoint{byte_of(bytes.front()), 1};
    const bool plain = (first.value >= 0x20 && first.value < 0x7f) || (keeps && first.value >= 0xa0);
    text += plain ? std::string(bytes.substr(0, first.bytes)) : printable(bytes.substr(0, first.bytes));
    bytes.remove_prefix(first.bytes);
  }
  return cut ? text + "..." : text;
}

std::string decode_xtext(std::string_view text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '+') {
      bytes += text[i];
      continue;
    }
    const std::optional<unsigned> high = i + 2 < text.size() ? hex_digit(text[i + 1]) : std::nullopt;
    const std::optional<unsigned> low = high ? hex_digit(text[i + 2]) : std::nullopt;
    if (!low) return std::string(text);
    bytes += static_cast<char>(*high << 4 | *low);
    i += 2;
  }
  return bytes;
}

std::string final_recipient(std::string_view address, Alphabet alphabet) {
  if (address.size() > kAddressBytes || !is_utf8(address)) {
    return "rfc822; " + safe_text(address, kAddressBytes, Alphabet::ascii);
  }
  if (alphabet == Alphabet::ascii) return "utf-8; " + utf8_address_xtext(address);
  return "utf-8; " + safe_text(address, kAddressBytes, alphabet);
}

std::string original_recipient(std::string_view orcpt, Alphabet alphabet) {
  const size_t semicolon = orcpt.find(';');
  if (semicolon == std::string_view::npos) return safe_text(orcpt, kAddressBytes, Alphabet::ascii);
  const std::string_view type = orcpt.substr(0, semicolon);
  const std::string_view address = orcpt.substr(semicolon + 1, kAddressBytes);
  const std::string prefix = safe_text(type, 100, Alphabet::ascii) + "; ";
  if (!equal_ignoring_case(type, "utf-8")) {
    return prefix + safe_text(decode_xtext(address), kAddressBytes, Alphabet::ascii);
  }
  // What RFC 6533 escapes in a utf-8 address is not xtext: the field may hold it as it is.
  if (alphabet == Alphabet::ascii && is_utf8(address)) return prefix + utf8_address_xtext(address);
  return prefix + safe_text(address, kAddressBytes, alphabet);
}

std::string quoted_printable(std::string_view text) {
  std::string encoded;
  size_t column = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const unsigned char byte = byte_of(text[i]);
    if (byte == '\n') {
      encoded += '\n';
      column = 0;
      continue;
    }
    const bool at_end = i + 1 == text.size() || text[i + 1] == '\n';
    const bool blank = byte == ' ' || byte == '\t';
    const bool plain = blank ? !at_end : byte > 0x20 && byte < 0x7f && byte != '=';
    const size_t width = plain ? 1 : 3;
    if (column + width > kLineBytes - 1) {  // one is kept for the '=' of a soft break
      encoded += "=\n";
      column = 0;
    }
    if (plain) {
      encoded += text[i];
    } else {
      encoded.append("=").append(1, kHex[byte >> 4]).append(1, kHex[byte & 15]);
    }
    column += width;
  }
  return encoded;
}

}  // namespace postern
