#include "scanq/edits.h"

#include <algorithm>
#include <optional>

#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kValueLimitBytes = 65536;
constexpr size_t kHeaderLimitBytes = size_t{8} << 20;  // what stands behind it is never edited
constexpr size_t kStepBytes = 65536;

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

// The line at the start of `text`, its LF included.
std::string_view first_line(std::string_view text) {
  const size_t end = text.find('\n');
  return text.substr(0, end == std::string_view::npos ? end : end + 1);
}

bool is_empty_line(std::string_view line) {
  return line == "\n" || line == "\r\n";
}

// The name of the field that begins with this line; nothing when it begins none. Blanks before the colon are
// the obsolete form (RFC 5322 4.5).
std::optional<std::string_view> field_name(std::string_view line) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view name = line.substr(0, colon);
  while (!name.empty() && is_blank(name.back())) name.remove_suffix(1);
  const bool printing = std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (name.empty() || !printing) return std::nullopt;
  return name;
}

// A line with its continuation lines.
std::string_view first_field(std::string_view header) {
  size_t length = first_line(header).size();
  while (length < header.size() && is_blank(header[length]))
    length += first_line(header.substr(length)).size();
  return header.substr(0, length);
}

std::string with_line_ends(std::string_view field, bool cr) {
  if (!cr) return std::string(field);
  std::string text;
  for (const char c : field) text.append(c == '\n' ? "\r\n" : std::string(1, c));
  return text;
}

std::string without(std::string_view header, std::string_view name) {
  std::string left;
  while (!header.empty()) {
    const std::string_view field = first_field(header);
    header.remove_prefix(field.size());
    const std::optional<std::string_view> its_name = field_name(field);
    if (!its_name || !equal_ignoring_case(*its_name, name)) left += field;
  }
  return left;
}

}  // namespace

Result<void> check_header(std::string_view name, std::string_view value) {
  const bool printing =
      std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7f && c != ':'; });
  if (name.empty() || name.size() > 77 || !printing)
    return temporary("\"" + printable(name, 80) + "\" is no header field's name");
  if (value.size() > kValueLimitBytes || value.find('\0') != std::string_view::npos) {
    return temporary("a header field's value is too long or has a NUL");
  }
  return {};
}

std::string header_field(std::string_view name, std::string_view value) {
  std::string field(name);
  field += ": ";
  for (const std::string_view line : split(value, '\n')) {
    const std::string_view text = trim(line);
    if (text.empty()) continue;
    if (!field.ends_with(": ")) field += "\n\t";
    for (const char c : text) field += c == '\r' ? ' ' : c;
  }
  return field + "\n";
}

size_t header_length(std::string_view text) {
  const std::string_view first = first_line(text);
  // "From " is a mailbox file's; mail readers pass over it.
  if (!field_name(first) && !is_empty_line(first) && !first.starts_with("From ")) return 0;
  // A line that is no field does not end it: mail readers go on to the empty line, too.
  for (size_t at = 0; at < text.size();) {
    const std::string_view line = first_line(text.substr(at));
    at += line.size();
    if (is_empty_line(line)) return at;
  }
  return text.size();
}

std::string edited_header(std::string_view header, const std::vector<HeaderEdit>& edits) {
  const bool cr = first_line(header).ends_with("\r\n");
  std::string edited(header);
  for (const HeaderEdit& edit : edits) {
    if (edit.remove) {
      edited = without(edited, edit.name);
    } else {
      edited.insert(0, with_line_ends(header_field(edit.name, edit.value), cr));
    }
  }
  return edited;
}

std::string field_value(std::string_view header, std::string_view name) {
  while (!header.empty()) {
    const std::string_view field = first_field(header);
    header.remove_prefix(field.size());
    const std::optional<std::string_view> its_name = field_name(field);
    if (!its_name || !equal_ignoring_case(*its_name, name)) continue;
    std::string value;
    for (const char c : trim(field.substr(field.find(':') + 1))) {
      if (c != '\r' && c != '\n') value += c;
    }
    return value;
  }
  return {};
}

Result<std::string> read_header(int message) {
  Result<size_t> size = file_size(message, "read the message");
  if (!size) return size.failure();
  const size_t most = std::min(*size, kHeaderLimitBytes);
  std::string text;
  for (size_t want = kStepBytes;; want *= 4) {
    Result<std::string> more = pread_string(message, static_cast<off_t>(text.size()),
                                            std::min(want, most) - text.size(), "read the message");
    if (!more) return more.failure();
    text += *more;
    const size_t length = header_length(text);
    const bool has_end = length < text.size() || text.ends_with("\n\n") || text.ends_with("\n\r\n");
    if (!has_end && text.size() < most) continue;
    text.resize(length);
    return text;
  }
}

Result<Fd> with_edited_header(int message, const std::vector<HeaderEdit>& edits) {
  Result<Fd> edited = memory_file("message");
  if (!edited) return edited;
  Result<size_t> size = file_size(message, "read the message");
  if (!size) return size.failure();
  Result<std::string> header = read_header(message);
  if (!header) return header.failure();
  std::string fields;
  if (header->empty() && *size > 0) {
    // Its first line is text; told by it whether lines end with CR LF.
    Result<std::string> start = pread_string(message, 0, std::min(*size, kStepBytes), "read the message");
    if (!start) return start.failure();
    const bool cr = first_line(*start).ends_with("\r\n");
    fields = edited_header({}, edits);
    if (!fields.empty()) fields = with_line_ends(fields + "\n", cr);
  } else {
    fields = edited_header(*header, edits);
  }
  Result<void> wrote = write_all(edited->get(), fields, "write the message");
  if (wrote) {
    wrote = copy_range(message, static_cast<off_t>(header->size()), *size - header->size(), edited->get(),
                       "copy the message");
  }
  if (wrote) wrote = seal(edited->get());
  if (!wrote) return wrote.failure();
  return edited;
}

}  // namespace postern
