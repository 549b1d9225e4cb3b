#include "receipt/listener_environment.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include "lib/control.h"
#include "lib/fd.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kFileBytes = 65536;
constexpr std::array<std::string_view, 6> kVariables = {"POSTERN_POLICY", "POSTERN_TLS", "POSTERN_SKIP",
                                                        "RELAYCLIENT",    "DATABYTES",   "NOBADHELO"};

// Nothing: it is not there.
Result<std::optional<std::string>> file_or_nothing(const std::string& path) {
  if (::access(path.c_str(), F_OK) < 0 && errno == ENOENT) return std::optional<std::string>();
  Result<std::string> text = read_file(path, kFileBytes);
  if (!text) return text.failure();
  return std::optional(std::move(*text));
}

// The form that postern-init writes: words NAME=VALUE, without quotes.
void set_exported(std::string_view script, Environment& found) {
  for (const std::string_view line : split(script, '\n')) {
    if (!line.starts_with("export ")) continue;
    for (const std::string_view word : words(line.substr(7))) {
      const size_t equals = word.find('=');
      const std::string_view name = word.substr(0, equals);
      const bool known = std::find(kVariables.begin(), kVariables.end(), name) != kVariables.end();
      if (known && equals != std::string_view::npos) found.set(name, word.substr(equals + 1));
    }
  }
}

// As envdir(1): the first line without blanks at its end; an empty file takes the variable away.
Result<void> set_from_directory(const std::string& directory, Environment& found) {
  for (const std::string_view name : kVariables) {
    Result<std::optional<std::string>> text = file_or_nothing(directory + "/" + std::string(name));
    if (!text) return text.failure();
    if (!*text) continue;
    const std::string_view line = std::string_view(**text).substr(0, (*text)->find('\n'));
    const size_t last = line.find_last_not_of(" \t");
    (*text)->empty() ? found.unset(name)
                     : found.set(name, line.substr(0, last == std::string_view::npos ? 0 : last + 1));
  }
  return {};
}

void hand_over(const Environment& found, const std::string& origin, Environment& to, std::string& said) {
  std::string here;
  for (const auto& [name, value] : found.pairs()) {
    here.append(here.empty() ? "" : ", ").append(name).append("=").append(value);
    to.set(name, value);
  }
  if (!here.empty())
    said.append(said.empty() ? "" : "; ").append(here).append(" (").append(origin).append(")");
}

}  // namespace

Result<ListenerService> read_listener_service(const std::string& listener) {
  ListenerService service;
  if (listener.empty() || listener.starts_with('.') || listener.find('/') != std::string::npos)
    return service;
  const std::string directory = home_path("service/" + listener);
  Result<std::optional<std::string>> script = file_or_nothing(directory + "/run");
  if (!script) return script.failure();
  service.is_there = script->has_value();
  set_exported(script->value_or(""), service.variables);
  if (Result<void> read = set_from_directory(directory + "/env", service.variables); !read)
    return read.failure();
  return service;
}

Result<ListenerVariables> set_listener_variables(const std::string& listener, Environment& environment) {
  Result<ListenerService> service = read_listener_service(listener);
  if (!service) return service.failure();
  ListenerVariables variables{.is_service = service->is_there};
  hand_over(service->variables, "service/" + listener, environment, variables.said);
  Environment own;
  const Environment process = Environment::of_process();
  for (const std::string_view name : kVariables) {
    if (const std::optional<std::string_view> value = process.get(name)) own.set(name, *value);
  }
  hand_over(own, "the environment", environment, variables.said);
  return variables;
}

}  // namespace postern
