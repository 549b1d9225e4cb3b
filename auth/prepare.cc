#include "auth/prepare.h"

#include <string.h>
#include <uninorm.h>
#include <unistr.h>

#include <cstdlib>

#include "lib/text.h"
#include "lib/utf8.h"

namespace postern::auth {

namespace {

// RFC 3454, C.1.2: spaces beyond ASCII.
bool is_other_space(uint32_t c) {
  return c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200b) || c == 0x202f || c == 0x205f ||
         c == 0x3000;
}

// RFC 3454, B.1. U+200B is a space for RFC 4013 and was looked at before.
bool is_mapped_to_nothing(uint32_t c) {
  return c == 0xad || c == 0x34f || c == 0x1806 || (c >= 0x180b && c <= 0x180d) || c == 0x200c ||
         c == 0x200d || c == 0x2060 || (c >= 0xfe00 && c <= 0xfe0f) || c == 0xfeff;
}

// RFC 4013, 2.3: control characters, private use, non-characters, those that are for plain text or tags.
bool is_prohibited(uint32_t c) {
  if (c < 0x20 || (c >= 0x7f && c <= 0x9f) || (c & 0xfffe) == 0xfffe) return true;
  if ((c >= 0xe000 && c <= 0xf8ff) || c >= 0xe0000 || (c >= 0xfdd0 && c <= 0xfdef)) return true;
  if ((c >= 0x2028 && c <= 0x202e) || (c >= 0x206a && c <= 0x206f) || (c >= 0x2061 && c <= 0x2063))
    return true;
  return c == 0x6dd || c == 0x70f || c == 0x180e || c == 0x200e || c == 0x200f || c == 0x340 || c == 0x341 ||
         (c >= 0xfff9 && c <= 0xfffd) || (c >= 0x2ff0 && c <= 0x2ffb) || (c >= 0x1d173 && c <= 0x1d17a);
}

std::optional<std::string> mapped(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const std::optional<CodePoint> next = first_code_point(text);
    if (!next) return std::nullopt;
    if (is_other_space(next->value)) {
      result += ' ';
    } else if (!is_mapped_to_nothing(next->value)) {
      result += text.substr(0, next->bytes);
    }
    text.remove_prefix(next->bytes);
  }
  return result;
}

std::optional<std::string> normalised(const std::string& text) {
  if (!has_8bit_byte(text)) return text;
  size_t length = 0;
  uint8_t* made = ::u8_normalize(UNINORM_NFKC, reinterpret_cast<const uint8_t*>(text.data()), text.size(),
                                 nullptr, &length);
  if (made == nullptr) return std::nullopt;
  std::string result(reinterpret_cast<const char*>(made), length);
  ::explicit_bzero(made, length);
  ::free(made);
  return result;
}

std::optional<std::string> prepare(std::string_view text, size_t most_bytes) {
  if (text.empty() || text.size() > most_bytes) return std::nullopt;
  std::optional<std::string> form = mapped(text);
  if (!form) return std::nullopt;
  std::optional<std::string> result = normalised(*form);
  wipe(*form);
  if (!result || result->empty() || result->size() > most_bytes) return std::nullopt;
  for (std::string_view rest = *result; !rest.empty();) {
    const std::optional<CodePoint> next = first_code_point(rest);
    if (!next || is_prohibited(next->value)) return std::nullopt;
    rest.remove_prefix(next->bytes);
  }
  return result;
}

}  // namespace

std::optional<Secret> prepare_password(std::string_view password) {
  std::optional<std::string> prepared = prepare(password, kMostPasswordBytes);
  if (!prepared) return std::nullopt;
  return secret_from(*prepared);
}

std::optional<std::string> prepare_name(std::string_view name) {
  const std::optional<std::string> prepared = prepare(name, kMostNameBytes);
  if (!prepared || prepared->find(':') != std::string::npos) return std::nullopt;
  // RFC 4518, 2.6.1: a directory finds " alice" as alice.
  if (prepared->front() == ' ' || prepared->back() == ' ' || prepared->find("  ") != std::string::npos)
    return std::nullopt;
  return lower(*prepared);
}

}  // namespace postern::auth
