// Base64 (RFC 4648 4).
#pragma once

#include <string>
#include <string_view>

namespace postern {

// In one line, padded.
std::string base64(std::string_view bytes);

}  // namespace postern
