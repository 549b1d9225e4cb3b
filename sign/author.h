// Whose message it is: the first address of the From: header field (RFC 5322 3.6.2), read as leniently as
// mail readers do.
#pragma once

#include <string>
#include <string_view>

namespace postern {

// The address in the value of a From: field, without comments; empty: there is none with a domain.
std::string first_address(std::string_view value);

}  // namespace postern
