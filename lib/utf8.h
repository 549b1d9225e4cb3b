// UTF-8 (RFC 3629) and the one thing that mail does with it beside carrying it: domains as A-labels (RFC
// 5890).
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

// The domain in lower case with every label that is not ASCII turned into an A-label ("xn--" and the
// Punycode of RFC 3492). A label is taken as it stands: what is not a U-label in its normal form (RFC 5891,
// 4.2) becomes a name that nobody has registered. Nothing when the text is not UTF-8 or a label is too long.
std::optional<std::string> to_a_labels(std::string_view domain);

}  // namespace postern
