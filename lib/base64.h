// Base64 (RFC 4648, 4) as SASL and MIME carry it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postern {

std::string base64(std::string_view bytes);
// Strict: no white space, whole groups with their padding, unused bits zero. Nothing when it is anything
// else.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace postern
