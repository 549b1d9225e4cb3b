#include "queue/dsn_text.h"

#include <algorithm>

#include "lib/text.h"
#include "lib/utf8.h"
#include "lib/xtext.h"

namespace postern {

namespace {

constexpr size_t kAddressBytes = 1003;

unsigned char byte_of(char c) {
  return static_cast<unsigned char>(c);
}

std::string hex_of(uint32_t value) {
  std::string digits;
  for (; value != 0; value >>= 4) digits.insert(digits.begin(), kCapitalHex[value & 15]);
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

}  // namespace

bool is_international(std::string_view bytes) {
  return has_8bit_byte(bytes) && is_utf8(bytes);
}

std::string safe_text(std::string_view bytes, size_t limit, Alphabet alphabet) {
  const bool keeps = alphabet == Alphabet::utf8 && bytes.size() <= limit && is_international(bytes);
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

std::string final_recipient(std::string_view address, Alphabet alphabet) {
  if (address.size() > kAddressBytes || !is_international(address)) {
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
  if (alphabet == Alphabet::ascii && is_international(address)) return prefix + utf8_address_xtext(address);
  return prefix + safe_text(address, kAddressBytes, alphabet);
}

}  // namespace postern
