// UTF-8 (RFC 3629).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern {

struct CodePoint {
  uint32_t value;
  size_t bytes;  // that it takes
};
// The code point that the text begins with; nothing where that is not well-formed, or the text is empty.
std::optional<CodePoint> first_code_point(std::string_view text);

bool has_8bit_byte(std::string_view text);

// Well-formed: no overlong form, no surrogate, nothing above U+10FFFF, nothing cut short.
bool is_utf8(std::string_view text);

}  // namespace postern
