// Base64 (RFC 4648, 4) as SASL and MIME carry it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postern {

std::string base64(std::string_view bytes);
// The same in lines of `characters`, which must be divisible by 4, each with LF.
std::string base64_lines(std::string_view bytes, size_t characters);
// Strict: no white space, whole groups with their padding, unused bits zero. Nothing when it is anything
// else.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace postern
