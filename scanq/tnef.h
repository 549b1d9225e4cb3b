// TNEF (MS-OXTNEF), what Outlook sends as winmail.dat: attachments, the bodies and messages inside of it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace postern {

struct TnefFile {
  std::vector<std::string> names;
  std::string content;
};

bool is_tnef(std::string_view bytes);

// Calls `take` with each file until it returns false. True: read to its end; false: it ends early, or `take`
// said so.
bool read_tnef(std::string_view bytes, const std::function<bool(const TnefFile&)>& take);

// Compressed RTF (MS-OXRTFCP); empty when it is none.
std::string decompress_rtf(std::string_view bytes);

}  // namespace postern
