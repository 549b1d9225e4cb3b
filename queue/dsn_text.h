// The encodings that a DSN needs for addresses in either alphabet (RFC 6533 3).
#pragma once

#include <string>
#include <string_view>

namespace postern {

// May the text hold UTF-8 as it is, or ASCII alone?
enum class Alphabet { ascii, utf8 };

// Well-formed UTF-8 (RFC 3629) with something outside ASCII in it.
bool is_international(std::string_view bytes);

// What is safe in a line of the DSN: control bytes and what the alphabet does not allow become \xHH; cut
// after `limit` bytes of input. Unlike printable() it leaves a backslash alone: addresses may hold one.
std::string safe_text(std::string_view bytes, size_t limit, Alphabet alphabet);

// The value of Final-Recipient for an address: "rfc822; a@b" or "utf-8; ...", the latter escaped as
// utf-8-addr-xtext where the alphabet is ASCII.
std::string final_recipient(std::string_view address, Alphabet alphabet);
// The value of Original-Recipient for an ORCPT parameter as it was given.
std::string original_recipient(std::string_view orcpt, Alphabet alphabet);

}  // namespace postern
