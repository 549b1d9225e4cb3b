// The encoded words of RFC 2047 in a text, as mail readers show them: also where the RFC would not have any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postern {

// With the bytes of the words in their places; white space between two of them is left out. Nothing when one
// has a character set in which ASCII is not what it looks like.
std::optional<std::string> decode_encoded_words(std::string_view text);

}  // namespace postern
