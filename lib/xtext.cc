#include "lib/xtext.h"

#include <optional>

#include "lib/text.h"

namespace postern {

namespace {

std::optional<unsigned> hex_digit(char c) {
  const size_t at = kCapitalHex.find(c);
  return at == std::string_view::npos ? std::nullopt : std::optional<unsigned>(static_cast<unsigned>(at));
}

}  // namespace

std::string encode_xtext(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7f && c != '+' && c != '=') {
      encoded += c;
    } else {
      encoded.append("+").append(hexadecimal({&c, 1}, kCapitalHex));
    }
  }
  return encoded;
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

}  // namespace postern
