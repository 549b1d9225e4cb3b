#include "inject/header.h"

#include <algorithm>

#include "lib/text.h"

namespace postern::inject {

namespace {

constexpr size_t kNameLimitBytes = 998;  // RFC 5322, 2.1.1: of a line

bool is_white(char c) {
  return c == ' ' || c == '\t';
}

// The length of a field's name at the beginning of a line: printable bytes, then, in the obsolete form, white
// space before the colon (RFC 5322, 2.2 and 4.5.1).
std::optional<size_t> name_length(std::string_view line) {
  size_t end = 0;
  while (end < line.size() && line[end] > ' ' && line[end] < 0x7f && line[end] != ':') ++end;
  if (end == 0 || end > kNameLimitBytes) return std::nullopt;
  size_t colon = end;
  while (colon < line.size() && is_white(line[colon])) ++colon;
  if (colon == line.size() || line[colon] != ':') return std::nullopt;
  return end;
}

}  // namespace

bool Field::named(std::string_view name) const {
  return equal_ignoring_case(std::string_view(text).substr(0, name_bytes), name);
}

std::string_view Field::body() const {
  return std::string_view(text).substr(body_begin, text.size() - body_begin - 1);
}

Result<void> HeaderReader::take(std::string_view bytes) {
  rest_ += bytes;
  size_t at = 0;
  while (!over_) {
    const size_t end = rest_.find('\n', at);
    if (end == std::string::npos) break;
    const std::string_view line = std::string_view(rest_).substr(at, end + 1 - at);
    if (line.size() == 1) at = end + 1;
    over_ = line.size() == 1 || !take_line(line, true);
    if (!over_) at = end + 1;
  }
  rest_.erase(0, at);
  // A line as long as no name is, is looked at before its end: it may be a body of one line.
  if (!over_ && rest_.size() > kNameLimitBytes) over_ = !take_line(rest_, false);
  if (over_) return {};
  if (header_bytes_ + rest_.size() > kHeaderLimitBytes)
    return permanent("read the header: it has more than " + std::to_string(kHeaderLimitBytes >> 20) + " MiB",
                     0, "5.3.4");
  return {};
}

void HeaderReader::finish() {
  if (over_) return;
  over_ = true;
  if (rest_.empty()) return;
  if (take_line(rest_ + "\n", true)) rest_.clear();
}

bool HeaderReader::take_line(std::string_view line, bool complete) {
  const bool first = first_;
  if (complete) first_ = false;
  // The line that an mbox puts before each message.
  if (first && (line.starts_with("From ") || line.starts_with(">From "))) return true;
  const bool continues = is_white(line.front()) && !fields_.empty();
  const std::optional<size_t> length = continues ? std::nullopt : name_length(line);
  if (!continues && !length) return false;
  if (!complete) return true;
  header_bytes_ += line.size();
  if (continues) {
    fields_.back().text += line;
  } else {
    fields_.push_back(
        {.text = std::string(line), .name_bytes = *length, .body_begin = line.find(':', *length) + 1});
  }
  return true;
}

Field make_field(std::string_view name, std::string_view body) {
  Field field;
  field.text.append(name).append(": ").append(body).append("\n");
  field.name_bytes = name.size();
  field.body_begin = name.size() + 1;
  return field;
}

}  // namespace postern::inject
