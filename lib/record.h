// NUL-ended records, the form in which our own programs speak to each other: a letter and a value, or a value
// alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postern {

// Appends letter, value and NUL. The value must have no NUL.
void append_record(std::string& bytes, char letter, std::string_view value);
// The same, unless the value is empty.
void append_record_if(std::string& bytes, char letter, std::string_view value);
// Cuts the next NUL-ended record off the front; nothing when there is no NUL any more.
std::optional<std::string_view> cut_record(std::string_view& bytes);

}  // namespace postern
