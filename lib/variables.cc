#include "lib/variables.h"

#include <algorithm>

namespace postern {

namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// The letters behind a dollar sign that stands at `at`.
std::string_view variable_at(std::string_view text, size_t at) {
  size_t end = at + 1;
  while (end < text.size() && is_letter(text[end])) ++end;
  return text.substr(at + 1, end - at - 1);
}

// How many bytes a dollar sign with that name behind it takes.
size_t bytes_of(std::string_view text, size_t at, std::string_view name) {
  if (!name.empty()) return 1 + name.size();
  return text.substr(at + 1).starts_with('$') ? 2 : 1;
}

}  // namespace

std::string_view unknown_variable(std::string_view text, const std::vector<std::string_view>& known) {
  for (size_t at = text.find('$'); at < text.size(); at = text.find('$', at)) {
    const std::string_view name = variable_at(text, at);
    if (!name.empty() && std::find(known.begin(), known.end(), name) == known.end()) return name;
    at += bytes_of(text, at, name);
  }
  return {};
}

std::string expand_variables(std::string_view text,
                             const std::vector<std::pair<std::string_view, std::string>>& values) {
  std::string expanded;
  for (size_t at = 0; at < text.size();) {
    const size_t dollar = std::min(text.size(), text.find('$', at));
    expanded.append(text.substr(at, dollar - at));
    if (dollar == text.size()) break;
    const std::string_view name = variable_at(text, dollar);
    const auto value =
        std::find_if(values.begin(), values.end(), [&](const auto& each) { return each.first == name; });
    if (name.empty()) {
      expanded += '$';
    } else if (value == values.end()) {
      expanded.append("$").append(name);
    } else {
      expanded += value->second;
    }
    at = dollar + bytes_of(text, dollar, name);
  }
  return expanded;
}

}  // namespace postern
