#include "scanq/edits.h"

#include <algorithm>

#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kValueLimitBytes = 65536;

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

Result<Fd> with_fields_in_front(int message, std::string_view fields) {
  Result<Fd> edited = memory_file("message");
  if (!edited) return edited;
  Result<size_t> size = file_size(message, "read the message");
  if (!size) return size.failure();
  Result<void> wrote = write_all(edited->get(), fields, "write the message");
  if (wrote) wrote = copy_range(message, 0, *size, edited->get(), "copy the message");
  if (wrote) wrote = seal(edited->get());
  if (!wrote) return wrote.failure();
  return edited;
}

}  // namespace postern
