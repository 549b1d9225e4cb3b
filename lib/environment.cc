#include "lib/environment.h"

#include <unistd.h>

#include <algorithm>
#include <array>

namespace postern {

namespace {

constexpr std::array<std::string_view, 6> kSettings = {
    "POSTERN_HOME",       "POSTERN_QUEUE", "POSTERN_QUARANTINE_PROGRAM",
    "POSTERN_RELEASE_TO", "POSTERN_SPOOL", "POSTERN_SETS"};
// They say something about one request, not about the message.
constexpr std::array<std::string_view, 5> kOfOneRequest = {"POSTERN_EXTRAS", "POSTERN_RIDS", "POSTERN_DRYRUN",
                                                           "POSTERN_DEFERRED", "POSTERN_SET"};

bool is_joint_variable(std::string_view name) {
  if (std::find(kSettings.begin(), kSettings.end(), name) != kSettings.end()) return false;
  return name.starts_with("POSTERN_") || name.starts_with("TCP") || name == "RELAYCLIENT";
}

}  // namespace

Environment Environment::of_process() {
  Environment environment;
  for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view pair(*entry);
    const size_t equals = pair.find('=');
    if (equals != std::string_view::npos) environment.set(pair.substr(0, equals), pair.substr(equals + 1));
  }
  return environment;
}

std::optional<std::string_view> Environment::get(std::string_view name) const {
  for (const auto& [key, value] : pairs_) {
    if (key == name) return value;
  }
  return std::nullopt;
}

std::string Environment::get_or(std::string_view name, std::string_view otherwise) const {
  return std::string(get(name).value_or(otherwise));
}

void Environment::set(std::string_view name, std::string_view value) {
  for (auto& [key, old] : pairs_) {
    if (key == name) {
      old = value;
      return;
    }
  }
  pairs_.emplace_back(name, value);
}

void Environment::unset(std::string_view name) {
  std::erase_if(pairs_, [&](const auto& pair) { return pair.first == name; });
}

void Environment::remove_trusted() {
  std::erase_if(pairs_, [](const auto& pair) {
    return pair.first.starts_with("POSTERN_") || pair.first == "RELAYCLIENT" || pair.first == "DATABYTES";
  });
}

Environment joint_variables(const Environment& environment) {
  Environment chosen;
  for (const auto& [name, value] : environment.pairs()) {
    if (is_joint_variable(name)) chosen.set(name, value);
  }
  return chosen;
}

Environment message_variables(const Environment& environment) {
  Environment kept = joint_variables(environment);
  for (const std::string_view name : kOfOneRequest) kept.unset(name);
  return kept;
}

Environment child_environment(const Environment& request) {
  Environment combined;
  const Environment own = Environment::of_process();
  const Environment asked = joint_variables(request);
  for (const auto& [name, value] : own.pairs()) {
    if (!is_joint_variable(name)) combined.set(name, value);
  }
  if (!combined.get("PATH")) combined.set("PATH", "/usr/local/bin:/usr/bin:/bin");
  for (const auto& [name, value] : asked.pairs()) combined.set(name, value);
  return combined;
}

}  // namespace postern
