// The encoded words of RFC 2047 in a text, as mail readers show them: also where the RFC would not have any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postern {

// With the bytes of the words in their places; white space between two of them is left out. Of ISO-2022-JP
// what may be part of an address is told as ASCII, and U+FFFD stands for the rest. Nothing when a word has
// another character set in which ASCII is not what it looks like.
std::optional<std::string> decode_encoded_words(std::string_view text);

}  // namespace postern
