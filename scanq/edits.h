// Changes to a message's header; everything else keeps its bytes and its order.
#pragma once

#include <string>
#include <string_view>

#include "lib/fd.h"
#include "lib/result.h"

namespace postern {

// A field name of RFC 5322 2.2 and a value without NUL, at most 64 KiB; line breaks in it are folded.
Result<void> check_header(std::string_view name, std::string_view value);
// "Name: value" with LF; a line break in the value becomes a fold, so that no value can make a field of its
// own.
std::string header_field(std::string_view name, std::string_view value);
// A sealed memory file: `fields`, then the message.
Result<Fd> with_fields_in_front(int message, std::string_view fields);

}  // namespace postern
