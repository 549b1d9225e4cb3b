// Files in text: uuencode (POSIX) as it stands anywhere in a body, and what `begin-base64` begins.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace postern {

struct UuFile {
  std::string name;
  // As readers decode it that stop at the first line which is none of its own, and as those that pass over
  // such lines; one where both agree.
  std::vector<std::string> contents;
};

// What the `begin MODE NAME` line at the start of `text` begins, up to its `end`, or as far as it goes.
UuFile decode_uuencode(std::string_view text);
// The same without a `begin` line before it.
std::vector<std::string> decode_uuencode_lines(std::string_view text);

// `begin-base64 MODE NAME` up to `====`: the name, and the lines between.
struct Base64File {
  std::string name;
  std::string_view lines;
};
Base64File find_base64_file(std::string_view text);

}  // namespace postern
