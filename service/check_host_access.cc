#include "service/check_host_access.h"

#include <unistd.h>

#include "lib/control.h"
#include "lib/text.h"
#include "receipt/hat_files.h"
#include "receipt/listener_environment.h"
#include "receipt/policies.h"
#include "service/services.h"

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

// A listener whose variables name a policy lets nobody in without it, as the ports for users.
std::vector<std::string> problems_of_listeners(const Policies& policies, const std::string& path) {
  std::vector<std::string> problems;
  for (const Service& service : services()) {
    if (!service.program.empty()) continue;
    const Result<ListenerService> listener = read_listener_service(service.name);
    const std::string policy = listener ? listener->variables.get_or("POSTERN_POLICY", "") : "";
    if (policy.empty()) continue;
    const Result<std::optional<OpenedHat>> hat = open_hat(service.name);
    const std::string of_whom = "the policy \"" + printable(policy, 80) + "\" of service/" + service.name;
    if (policies.find(policy) == nullptr) {
      problems.push_back(path + ": " + of_whom +
                         " is not there, so nobody is let in; add it, and run postern-hat compile");
    } else if (hat && !*hat) {
      problems.push_back(home_path(hat_file("")) + ": it is not there, and without it neither is " + of_whom +
                         ", so nobody is let in; write it, and run postern-hat compile");
    }
  }
  return problems;
}

std::vector<std::string> problems_of_policies() {
  const std::string path = home_path("control/policies");
  Result<std::optional<std::string>> text = control_text("policies");
  if (!text) return {};
  const Result<Policies> policies = parse_policies(text->value_or(""), path);
  if (policies) return problems_of_listeners(*policies, path);
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
