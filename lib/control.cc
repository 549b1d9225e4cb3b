#include "lib/control.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

#include "lib/fd.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kControlLimitBytes = 16 * 1024 * 1024;

}  // namespace

std::string home_directory() {
  const char* home = ::getenv("POSTERN_HOME");
  return home != nullptr && *home != '\0' ? home : POSTERN_DEFAULT_HOME;
}

std::string home_path(std::string_view relative) {
  return home_directory().append("/").append(relative);
}

Result<std::optional<std::string>> control_text(std::string_view name) {
  const std::string path = home_path("control/" + std::string(name));
  const Fd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!fd && errno == ENOENT) return std::optional<std::string>();
  if (!fd) return os_failure("open " + path, errno, 55);
  Result<std::string> text = read_to_end(fd.get(), kControlLimitBytes, "read " + path);
  if (!text) return temporary(text.failure().text, 55);
  return std::optional<std::string>(std::move(*text));
}

Result<std::optional<std::string>> control_line(std::string_view name) {
  Result<std::optional<std::string>> text = control_text(name);
  if (!text || !text->has_value()) return text;
  const std::string_view all = **text;
  return std::optional<std::string>(trim(all.substr(0, all.find('\n'))));
}

Result<std::string> control_line_or(std::string_view name, std::string_view otherwise) {
  Result<std::optional<std::string>> line = control_line(name);
  if (!line) return line.failure();
  return line->has_value() && !(*line)->empty() ? **line : std::string(otherwise);
}

Result<uint64_t> control_number_or(std::string_view name, uint64_t otherwise) {
  Result<std::optional<std::string>> line = control_line(name);
  if (!line) return line.failure();
  if (!line->has_value()) return otherwise;
  const std::optional<uint64_t> number = parse_number(**line);
  if (number) return *number;
  return temporary(home_path("control/" + std::string(name)) + ":1: \"" + printable(**line, 40) +
                       "\" is not a number; write decimal digits only, or remove the file for the default " +
                       std::to_string(otherwise),
                   55);
}

Result<std::optional<std::vector<std::string>>> control_list(std::string_view name) {
  Result<std::optional<std::string>> text = control_text(name);
  if (!text) return text.failure();
  if (!text->has_value()) return std::optional<std::vector<std::string>>();
  std::vector<std::string> lines;
  for (const std::string_view line : control_lines(**text)) lines.emplace_back(line);
  return std::optional<std::vector<std::string>>(std::move(lines));
}

Result<std::string> control_me() {
  Result<std::optional<std::string>> me = control_line("me");
  if (!me) return me.failure();
  if (me->has_value() && !(*me)->empty()) return **me;
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) < 0) return os_failure("ask the host name", errno, 55);
  return std::string(name.data());
}

bool domain_listed(std::string_view domain, const std::vector<std::string>& list) {
  for (const std::string& entry : list) {
    if (equal_ignoring_case(domain, entry)) return true;
    if (entry.starts_with('.') && domain.size() > entry.size() &&
        equal_ignoring_case(domain.substr(domain.size() - entry.size()), entry)) {
      return true;
    }
  }
  return false;
}

}  // namespace postern
