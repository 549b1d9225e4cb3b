// yEnc 1.3: binary in 8-bit text, each byte moved by 42, `=` before those that must not stand there.
#pragma once

#include <string>
#include <string_view>

namespace postern {

struct YencFile {
  std::string name;
  std::string content;
  bool is_part = false;  // the rest of the file is not here
  size_t length = 0;     // of the text, up to its `=yend` line or the end
  // Where in the file the content belongs, for those in several parts; from 1, as `=ypart` says.
  size_t first = 1;
  size_t file_size = 0;
};

// What the `=ybegin` line at the start of `text` begins.
YencFile decode_yenc(std::string_view text);

}  // namespace postern
