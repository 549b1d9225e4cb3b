#include "service/control_tables.h"

#include <string_view>

#include "lib/altsrchost.h"
#include "lib/bounce_profiles.h"
#include "lib/bounce_template.h"
#include "lib/destinations.h"
#include "lib/reputation_settings.h"
#include "receipt/access_table.h"
#include "receipt/proxies.h"
#include "receipt/send_as.h"
#include "service/check_recipients.h"

namespace postern {

namespace {

// "read FILE line N: WHY" as "FILE:N: WHY".
std::string located(std::string_view failure) {
  static constexpr std::string_view kRead = "read ";
  static constexpr std::string_view kLine = " line ";
  const size_t line = failure.find(kLine);
  if (!failure.starts_with(kRead) || line == std::string_view::npos) return std::string(failure);
  return std::string(failure.substr(kRead.size(), line - kRead.size()))
      .append(":")
      .append(failure.substr(line + kLine.size()));
}

// The table, the templates that it names, and the profiles that destinations name.
std::vector<std::string> problems_of_bounce_profiles(const std::string& text, const std::string& path) {
  const Result<BounceProfiles> profiles = BounceProfiles::parse(text, path);
  if (!profiles) return {located(profiles.failure().text)};
  std::vector<std::string> problems;
  for (const std::string& name : profiles->templates()) {
    const Result<BounceTemplate> words = read_bounce_template(name);
    if (!words) problems.push_back(located(words.failure().text) + "; until then what is built in is used");
  }
  const Result<Destinations> destinations = Destinations::read();
  for (const std::string& name :
       destinations ? destinations->bounce_profiles() : std::vector<std::string>()) {
    if (profiles->find(name) == nullptr)
      problems.push_back(path + ": control/destinations names the profile " + name + "; add a line for it");
  }
  return problems;
}

std::vector<std::string> all_located(std::vector<std::string> problems) {
  for (std::string& problem : problems) problem = located(problem);
  return problems;
}

template <typename T>
std::vector<std::string> problem_in(const Result<T>& parsed) {
  if (parsed) return {};
  return {parsed.failure().text};
}

std::vector<std::string> problems_of_access_list(const std::string& text, const std::string& path,
                                                 AccessList list) {
  const Result<AccessTable> table = AccessTable::parse(text, path, list);
  if (!table || !table->refuses_nobody()) return problem_in(table);
  return {
      path +
      ": there are only exemptions, so nobody is refused; a ! does not turn an expression round: to refuse "
      "names without a dot, write ^[^.]+$"};
}

}  // namespace

std::vector<std::string> problems_of_table(Form form, const std::string& text, const std::string& path) {
  switch (form) {
    case Form::bounce_profiles:
      return problems_of_bounce_profiles(text, path);
    case Form::gateways:
      return problem_in(Gateways::parse(text, path));
    case Form::unwelcome_senders:
      return problems_of_access_list(text, path, AccessList::sender);
    case Form::unwelcome_recipients:
      return problems_of_access_list(text, path, AccessList::recipient);
    case Form::unwelcome_names:
      return problems_of_access_list(text, path, AccessList::helo);
    case Form::proxies:
      return problem_in(Proxies::parse(text, path));
    case Form::reputation_lists:
      return problem_in(parse_reputation_lists(text, path));
    case Form::reputation_table:
      return problem_in(ReputationTable::parse(text, path));
    case Form::call_ahead:
      return all_located(problems_of_call_ahead(text, path));
    case Form::ldap:
      return all_located(problems_of_ldap(text, path));
    case Form::recipient_checks:
      return all_located(problems_of_recipient_checks(text, path));
    case Form::send_as:
      return problem_in(SendAs::parse(text, path, {}));
    default:
      return {};
  }
}

}  // namespace postern
