// What of a zip archive libclamav cannot unpack and passes over in silence.
#pragma once

#include <string_view>

namespace postern {

// Is a member packed by a method that libclamav does not know (LZMA, zstd, xz, PPMd, …; .ZIP File Format
// Specification 4.4.5)? By the headers of members and of the central directory, wherever they stand.
bool has_unreadable_member(std::string_view archive);

}  // namespace postern
