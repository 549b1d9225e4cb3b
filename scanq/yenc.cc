#include "scanq/yenc.h"

#include "lib/text.h"

namespace postern {

namespace {

std::string_view cut_line(std::string_view& text) {
  const size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// ` key=VALUE`, to the next blank; 0 where there is none.
size_t number_after(std::string_view line, std::string_view key) {
  const size_t at = line.find(key);
  if (at == std::string_view::npos) return 0;
  line.remove_prefix(at + key.size());
  return parse_number(line.substr(0, line.find(' '))).value_or(0);
}

void decode_line(std::string_view line, std::string& out) {
  for (size_t at = 0; at < line.size(); ++at) {
    int value = static_cast<unsigned char>(line[at]);
    if (line[at] == '=' && at + 1 < line.size()) value = static_cast<unsigned char>(line[++at]) - 64;
    out += static_cast<char>(value - 42);
  }
}

}  // namespace

YencFile decode_yenc(std::string_view text) {
  const size_t whole = text.size();
  YencFile file;
  const std::string_view begin = cut_line(text);
  if (const size_t name = begin.find(" name="); name != std::string_view::npos)
    file.name = std::string(trim(begin.substr(name + 6)));
  file.file_size = number_after(begin, " size=");
  const bool in_parts = begin.find(" part=") != std::string_view::npos;
  while (!text.empty()) {
    const std::string_view line = cut_line(text);
    if (line.starts_with("=yend")) break;
    if (line.starts_with("=ypart ")) {
      file.first = number_after(line, " begin=");
      continue;
    }
    decode_line(line, file.content);
  }
  file.length = whole - text.size();
  file.is_part = in_parts && file.content.size() < file.file_size;
  return file;
}

}  // namespace postern
