// Changes to a message's header; everything else keeps its bytes and its order.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/fd.h"
#include "lib/result.h"

namespace postern {

// A field name of RFC 5322 2.2 and a value without NUL, at most 64 KiB; line breaks in it are folded.
Result<void> check_header(std::string_view name, std::string_view value);
// "Name: value" with LF; a line break in the value becomes a fold, so that no value can make a field of its
// own.
std::string header_field(std::string_view name, std::string_view value);

// One edit: a field in front of all others, or all fields of a name away.
struct HeaderEdit {
  std::string name;
  std::string value{};
  bool remove = false;
};

// A sealed memory file: the message with these edits made one after the other. Fields that are added end
// their lines as the message does (LF or CR LF). A message without a header, whose first line is no field,
// gets an empty line between its new header and its text.
Result<Fd> with_edited_header(int message, const std::vector<HeaderEdit>& edits);

// The same for a header that is in memory, with the empty line behind it where there is one.
std::string edited_header(std::string_view header, const std::vector<HeaderEdit>& edits);
// Bytes of header at the start of `text`, the empty line behind it included; none where the first line is no
// field. All of it where no empty line comes.
size_t header_length(std::string_view text);
// The first field of that name in a header, unfolded and trimmed; empty when there is none.
std::string field_value(std::string_view header, std::string_view name);
// The header of a message, as `header_length` has it; at most 8 MiB of it.
Result<std::string> read_header(int message);

}  // namespace postern
