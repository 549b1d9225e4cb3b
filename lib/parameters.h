// Tables of the form that control/destinations and control/bounceprofiles share: one line a thing, its name
// and then PARAMETER=VALUE words. The line DEFAULT, wherever it stands, holds for all, and changes what the
// others inherit. Letter case counts neither in names nor in parameters.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "lib/result.h"
#include "lib/text.h"

namespace postern {

// What takes a value: what is wrong with it, empty when nothing is.
template <typename Thing>
struct Parameter {
  std::string_view name;
  std::string (*set)(std::string_view value, Thing& into);
};

template <typename Value>
using ParameterWord = std::pair<std::string_view, Value>;

constexpr std::array<ParameterWord<bool>, 6> kSwitchWords = {
    {{"on", true}, {"off", false}, {"yes", true}, {"no", false}, {"1", true}, {"0", false}}};

// The parts of a Parameter's `set`.
template <typename Value, size_t kSize>
std::string choose_parameter(const std::array<ParameterWord<Value>, kSize>& words, std::string_view text,
                             Value& into) {
  const auto found = std::find_if(words.begin(), words.end(),
                                  [&](const auto& word) { return equal_ignoring_case(word.first, text); });
  if (found != words.end()) {
    into = found->second;
    return {};
  }
  std::string known;
  for (const auto& word : words) known.append(known.empty() ? "" : ", ").append(word.first);
  return "it is one of " + known;
}
inline std::string switch_parameter(std::string_view text, bool& into) {
  return choose_parameter(kSwitchWords, text, into);
}
template <typename Number>
std::string number_parameter(std::string_view text, uint64_t least, uint64_t most, Number& into) {
  const std::optional<uint64_t> value = parse_number(text);
  if (!value || *value < least || *value > most)
    return "it is a number from " + std::to_string(least) + " to " + std::to_string(most);
  into = static_cast<Number>(*value);
  return {};
}
// Letters, digits, - and _.
bool is_parameter_name(std::string_view text);
std::string name_parameter(std::string_view text, std::string& into);

// The same as a Parameter's `set`, for a field of the thing.
template <auto kField, uint64_t kLeast, uint64_t kMost, typename Thing>
std::string number_field(std::string_view value, Thing& into) {
  return number_parameter(value, kLeast, kMost, into.*kField);
}
template <auto kField, typename Thing>
std::string switch_field(std::string_view value, Thing& into) {
  return switch_parameter(value, into.*kField);
}
template <auto kField, typename Thing>
std::string name_field(std::string_view value, Thing& into) {
  return name_parameter(value, into.*kField);
}

struct ParameterLine {
  size_t number = 0;                    // from 1
  std::vector<std::string_view> words;  // the name first; views into the text
};
// Without comments and empty lines.
std::vector<ParameterLine> parameter_lines(std::string_view text);
// A temporary failure that names file and line.
Failure parameter_failure(std::string_view file_name, const ParameterLine& line, const std::string& why);

template <typename Thing, size_t kSize>
std::string set_parameters(const std::array<Parameter<Thing>, kSize>& parameters, const ParameterLine& line,
                           Thing& into) {
  for (size_t i = 1; i < line.words.size(); ++i) {
    const size_t equals = line.words[i].find('=');
    const std::string_view key = line.words[i].substr(0, equals);
    const auto parameter = std::find_if(parameters.begin(), parameters.end(), [&](const auto& known) {
      return equal_ignoring_case(known.name, key);
    });
    if (equals == std::string_view::npos || parameter == parameters.end()) {
      std::string known;
      for (const auto& each : parameters) known.append(known.empty() ? "" : ", ").append(each.name);
      return "\"" + printable(line.words[i], 80) + "\" is no PARAMETER=VALUE with one of " + known;
    }
    const std::string_view value = line.words[i].substr(equals + 1);
    if (const std::string wrong = parameter->set(value, into); !wrong.empty())
      return std::string(parameter->name) + "=" + printable(value, 80) + ": " + wrong;
  }
  return {};
}

// `otherwise` is what DEFAULT begins with, and DEFAULT afterwards; `problem_of_name` says what is wrong with
// a name (empty: nothing). The things by their names in lower case.
template <typename Thing, size_t kSize>
Result<std::unordered_map<std::string, Thing>> parse_parameters(
    const std::array<Parameter<Thing>, kSize>& parameters, std::string_view text, std::string_view file_name,
    Thing& otherwise, std::string (*problem_of_name)(std::string_view name)) {
  std::vector<ParameterLine> others;
  bool has_default = false;
  for (ParameterLine& line : parameter_lines(text)) {
    if (!equal_ignoring_case(line.words.front(), "DEFAULT")) {
      if (const std::string why = problem_of_name(line.words.front()); !why.empty())
        return parameter_failure(file_name, line, why);
      others.push_back(std::move(line));
      continue;
    }
    if (std::exchange(has_default, true))
      return parameter_failure(file_name, line, "there is a line for DEFAULT before it");
    if (const std::string why = set_parameters(parameters, line, otherwise); !why.empty())
      return parameter_failure(file_name, line, why);
  }
  std::unordered_map<std::string, Thing> named;
  for (const ParameterLine& line : others) {
    Thing thing = otherwise;
    if (const std::string why = set_parameters(parameters, line, thing); !why.empty())
      return parameter_failure(file_name, line, why);
    if (!named.emplace(lower(line.words.front()), std::move(thing)).second)
      return parameter_failure(file_name, line, "there is a line for it before");
  }
  return named;
}

}  // namespace postern
