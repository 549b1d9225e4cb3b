// Transfer encodings, decoded in every way that readers are known to decode them. Where all agree there is
// one result, made in one pass.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace postern {

// A result is handed on as soon as it is made, those that differ only; the view lives for the call. False
// from `take` ends it, and is what comes back.
using TakeDecoded = std::function<bool(std::string_view)>;

bool decode_base64_ways(std::string_view raw, const TakeDecoded& take);
bool decode_quoted_printable_ways(std::string_view raw, const TakeDecoded& take);

// Does text that says nothing of base64 look like it: is its first line that is not empty a long one of
// base64's letters alone?
bool looks_like_base64(std::string_view text);

// One result, for encoded words and the like.
std::string decode_base64_plain(std::string_view raw);

}  // namespace postern
