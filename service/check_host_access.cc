#include "service/check_host_access.h"

#include <unistd.h>

#include "lib/control.h"
#include "receipt/hat_files.h"

namespace postern {

namespace {

constexpr std::string_view kPrefix = "hat.";
constexpr std::string_view kCompiled = ".bin";

std::vector<std::string> problems_of(const std::string& listener) {
  std::vector<std::string> problems;
  const std::string path = home_path(hat_file(listener));
  // Whether a database has the countries is postern-hat's to say: here nothing is linked that could read it.
  const CountryNetworks any = [](const std::vector<std::string>&) { return std::vector<AddressPrefix>(); };
  Result<std::string> made = make_hat(listener, any, problems);
  if (!made) {
    // What is wrong with the policies is said once, at their own file.
    if (!made.failure().text.starts_with(home_path("control/policies:")))
      problems.push_back(made.failure().text);
    return problems;
  }
  if (::access((path + std::string(kCompiled)).c_str(), F_OK) < 0) {
    problems.push_back(path + ": it is not compiled, so no client is let in; run postern-hat compile");
  } else if (is_stale(listener)) {
    problems.push_back(path +
                       ": it or control/policies has changed since it was compiled; run postern-hat compile");
  }
  return problems;
}

std::vector<std::string> problems_of_policies() {
  const std::string path = home_path("control/policies");
  Result<std::optional<std::string>> text = control_text("policies");
  if (!text || !*text) return {};
  const Result<Policies> policies = parse_policies(**text, path);
  if (policies) return {};
  return {policies.failure().text};
}

}  // namespace

std::vector<std::string> problems_of_host_access(bool policies_alone) {
  if (policies_alone) return problems_of_policies();
  std::vector<std::string> problems;
  Result<std::vector<std::string>> listeners = hat_listeners();
  for (const std::string& listener : listeners ? *listeners : std::vector<std::string>()) {
    for (std::string& problem : problems_of(listener)) problems.push_back(std::move(problem));
  }
  const Result<std::vector<std::string>> orphans = hats_without_text();
  for (const std::string& listener : orphans ? *orphans : std::vector<std::string>()) {
    const std::string path = home_path(hat_file(listener));
    problems.push_back(path + std::string(kCompiled) + ": it counts, and its text " + path +
                       " is not there; run postern-hat compile, which removes it");
  }
  return problems;
}

bool is_host_access_file(std::string_view name) {
  if (!name.starts_with(kPrefix)) return false;
  name.remove_prefix(kPrefix.size());
  if (name.ends_with(kCompiled)) name.remove_suffix(kCompiled.size());
  return may_have_a_hat(name);
}

}  // namespace postern
