// The encoded words of RFC 2047 in a text, as mail readers show them: also where the RFC would not have any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postern {

// With the bytes of the words in their places; white space between two of them is left out. Of ISO-2022-JP
// what may be part of an address is told as ASCII, and U+FFFD stands for the rest; of the other sets with
// characters of two bytes, as with_plain_signs(). Nothing when a word has another character set in which
// ASCII is not what it looks like.
std::optional<std::string> decode_encoded_words(std::string_view text);

// Bytes in one of the sets of East Asia, whichever (GBK, Big5, Shift_JIS, EUC), with ASCII for their own
// forms of '@' and the dot.
std::string with_plain_signs(std::string_view bytes);

}  // namespace postern
