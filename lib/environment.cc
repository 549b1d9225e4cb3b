#include "lib/environment.h"

#include <unistd.h>

#include <algorithm>

namespace postern {

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
    if (name.starts_with("POSTERN_") || name.starts_with("TCP") || name == "RELAYCLIENT" || name == "PATH") {
      chosen.set(name, value);
    }
  }
  return chosen;
}

}  // namespace postern
