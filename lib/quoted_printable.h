// Quoted-printable (RFC 2045 6.7) and the encoded words of header fields (RFC 2047).
#pragma once

#include <string>
#include <string_view>

namespace postern {

// Lines ended by LF, at most 76 bytes long.
std::string quoted_printable(std::string_view text);

// Text for an unstructured field (a Subject): as it is where it is printing ASCII, else UTF-8 in encoded
// words with a blank between each two. A blank at the end is kept: between encoded words readers drop it
// otherwise.
std::string encoded_words(std::string_view text);

}  // namespace postern
