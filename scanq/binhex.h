// BinHex 4.0 (RFC 1741): a Macintosh file's two forks in 6-bit letters, repeated bytes shortened.
#pragma once

#include <string>
#include <string_view>

namespace postern {

struct BinhexFile {
  std::string name;
  std::string data;
  std::string resource;
};

// What stands behind the line "(This file must be converted with BinHex …", as far as it goes.
BinhexFile decode_binhex(std::string_view text);

}  // namespace postern
