#include "lib/parameters.h"

namespace postern {

bool is_parameter_name(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
  });
}

std::string name_parameter(std::string_view text, std::string& into) {
  if (!is_parameter_name(text)) return "it is a name of A-Z, a-z, 0-9, - and _";
  into = text;
  return {};
}

std::vector<ParameterLine> parameter_lines(std::string_view text) {
  std::vector<ParameterLine> lines;
  size_t number = 0;
  for (const std::string_view line : split(text, '\n')) {
    ++number;
    std::vector<std::string_view> all = words(trim(line));
    if (!all.empty() && !all.front().starts_with('#')) lines.push_back({number, std::move(all)});
  }
  return lines;
}

Failure parameter_failure(std::string_view file_name, const ParameterLine& line, const std::string& why) {
  return temporary("read " + std::string(file_name) + " line " + std::to_string(line.number) + ": " + why, 55,
                   "4.3.5");
}

}  // namespace postern
