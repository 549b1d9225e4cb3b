#include "lib/record.h"

namespace postern {

void append_record(std::string& bytes, char letter, std::string_view value) {
  bytes += letter;
  bytes.append(value).push_back('\0');
}

void append_record_if(std::string& bytes, char letter, std::string_view value) {
  if (!value.empty()) append_record(bytes, letter, value);
}

std::optional<std::string_view> cut_record(std::string_view& bytes) {
  const size_t end = bytes.find('\0');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view record = bytes.substr(0, end);
  bytes.remove_prefix(end + 1);
  return record;
}

}  // namespace postern
