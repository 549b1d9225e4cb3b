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
  for (const NumberedLine& line : numbered_lines(text)) lines.push_back({line.number, words(line.text)});
  return lines;
}

Failure parameter_failure(std::string_view file_name, const ParameterLine& line, const std::string& why) {
  return temporary("read " + std::string(file_name) + " line " + std::to_string(line.number) + ": " + why, 55,
                   "4.3.5");
}

}  // namespace postern
