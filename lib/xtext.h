// xtext of RFC 3461, 4: how ENVID and ORCPT carry any bytes.
#pragma once

#include <string>
#include <string_view>

namespace postern {

// What is not printable ASCII, "+" and "=" as +HH.
std::string encode_xtext(std::string_view text);
// What it stands for; the text itself where it is not well-formed.
std::string decode_xtext(std::string_view text);

}  // namespace postern
