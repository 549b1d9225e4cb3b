#include "scanq/stages.h"

#include <algorithm>
#include <array>

#include "lib/text.h"

namespace postern {

namespace {

constexpr unsigned kLongestTimeoutSeconds = 240;
constexpr std::array<std::pair<std::string_view, OnFailure>, 3> kOnFailure = {
    {{"defer", OnFailure::defer}, {"pass", OnFailure::pass}, {"quarantine", OnFailure::quarantine}}};
constexpr std::array<std::string_view, 3> kDirections = {"in", "out", "local"};

Failure wrong(std::string_view line, std::string_view why) {
  return temporary("read control/stages: \"" + printable(line, 100) + "\": " + std::string(why), 55);
}

bool is_name(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

// Takes an option; false when the word is none (then it is an argument of the program).
Result<bool> take_option(Stage& stage, std::string_view word, std::string_view line) {
  const size_t equals = word.find('=');
  if (equals == std::string_view::npos) return false;
  const std::string_view name = word.substr(0, equals);
  const std::string_view value = word.substr(equals + 1);
  if (name == "on-failure") {
    const auto known = std::find_if(kOnFailure.begin(), kOnFailure.end(),
                                    [&](const auto& choice) { return choice.first == value; });
    if (known == kOnFailure.end()) return wrong(line, "on-failure= takes defer, pass or quarantine");
    stage.on_failure = known->second;
    return true;
  }
  if (name == "timeout") {
    const std::optional<uint64_t> seconds = parse_number(value);
    if (!seconds || *seconds == 0 || *seconds > kLongestTimeoutSeconds)
      return wrong(line, "timeout= takes 1 to 240 seconds");
    stage.timeout_seconds = static_cast<unsigned>(*seconds);
    return true;
  }
  if (name == "direction") {
    for (const std::string_view part : split(value, ',')) {
      if (std::find(kDirections.begin(), kDirections.end(), part) == kDirections.end()) {
        return wrong(line, "direction= takes in, out and local, separated by commas");
      }
      stage.directions.emplace_back(part);
    }
    return true;
  }
  if (name == "when") {
    if (value != "released") return wrong(line, "when= takes released");
    stage.when_released = true;
    return true;
  }
  return false;
}

}  // namespace

bool Stage::runs_in(std::string_view direction, bool released) const {
  if (released && !when_released) return false;
  return directions.empty() || std::find(directions.begin(), directions.end(), direction) != directions.end();
}

Result<std::vector<Stage>> parse_stages(const std::vector<std::string>& lines) {
  std::vector<Stage> stages;
  // An empty list is more likely a lost file than a wish.
  if (lines.empty())
    return temporary("read control/stages: it names no stage; write \"none\" if nothing is to be scanned",
                     55);
  if (lines.size() == 1 && lines[0] == "none") return stages;
  for (const std::string& line : lines) {
    const std::vector<std::string_view> all = words(line);
    if (all.size() < 2) return wrong(line, "should be a name and a program");
    if (!is_name(all[0])) return wrong(line, "a stage's name is made of a-z, 0-9, '-' and '_'");
    Stage stage;
    stage.name = all[0];
    stage.program = all[1];
    for (size_t i = 2; i < all.size(); ++i) {
      Result<bool> option = take_option(stage, all[i], line);
      if (!option) return option.failure();
      if (!*option) stage.program.append(" ").append(all[i]);
    }
    const bool twice = std::any_of(stages.begin(), stages.end(),
                                   [&](const Stage& other) { return other.name == stage.name; });
    if (twice) return wrong(line, "there is a stage of that name above");
    stages.push_back(std::move(stage));
  }
  return stages;
}

}  // namespace postern
