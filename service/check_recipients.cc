#include "service/check_recipients.h"

#include "lib/callahead_profiles.h"
#include "receipt/recipient_settings.h"

namespace postern {

std::vector<std::string> problems_of_call_ahead(const std::string& text, const std::string& path) {
  const Result<CallAheadProfiles> profiles = CallAheadProfiles::parse(text, path);
  if (profiles) return {};
  return {profiles.failure().text};
}

std::vector<std::string> problems_of_recipient_checks(const std::string& text, const std::string& path) {
  const Result<RecipientSettingsTable> table = RecipientSettingsTable::parse(text, path);
  if (!table) return {table.failure().text};
  std::vector<std::string> problems;
  const Result<CallAheadProfiles> profiles = CallAheadProfiles::read();
  for (const std::string& name : table->profiles()) {
    if (profiles && profiles->find(name) == nullptr)
      problems.push_back(path + ": control/callahead has no profile " + name +
                         ", so mail for its recipients waits; add a line for it");
  }
  return problems;
}

}  // namespace postern
