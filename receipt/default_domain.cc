#include "receipt/default_domain.h"

#include <algorithm>

#include "lib/control.h"
#include "lib/idn.h"
#include "lib/text.h"

namespace postern {

namespace {

// A listener's name comes from a variable; only one that can be the end of a file's name is looked for.
bool is_listener_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

bool is_domain_text(std::string_view name) {
  return !name.empty() && name.front() != '.' && name.back() != '.' && name.size() <= 253 &&
         name.find("..") == std::string_view::npos && std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
         });
}

}  // namespace

Result<std::optional<std::string>> default_domain(std::string_view listener) {
  std::string file = "defaultdomain." + std::string(listener);
  for (int i = is_listener_name(listener) ? 0 : 1; i < 2; ++i) {
    if (i == 1) file = "defaultdomain";
    Result<std::optional<std::string>> line = control_line(file);
    if (!line) return line.failure();
    if (!line->has_value()) continue;
    Result<std::string> name = a_labels(**line);
    if (name && is_domain_text(*name)) return std::optional(std::move(*name));
    return temporary(home_path("control/" + file) + ":1: \"" + printable(**line, 80) +
                         "\" is no domain; write one, as example.org",
                     55);
  }
  return std::optional<std::string>();
}

}  // namespace postern
