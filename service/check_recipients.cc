#include "service/check_recipients.h"

#include "lib/callahead_profiles.h"
#include "lib/control.h"
#include "lib/ldap_settings.h"
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
  const Result<std::optional<std::string>> ldap = control_text("ldap");
  if (!ldap || table->ldap_queries().empty()) return problems;
  const Result<LdapSettings> settings =
      ldap->has_value() ? LdapSettings::parse(**ldap, "control/ldap") : LdapSettings();
  if (!settings) return problems;  // the file itself tells it
  for (const std::string& name : table->ldap_queries()) {
    if (settings->kind_of(name) != LdapKind::accept)
      problems.push_back(path + ": control/ldap has no query " + name +
                         " of the kind accept, so nobody is asked or mail waits; add it there");
  }
  return problems;
}

std::vector<std::string> problems_of_ldap(const std::string& text, const std::string& path) {
  const Result<LdapSettings> settings = LdapSettings::parse(text, path);
  if (!settings) return {settings.failure().text};
  const Result<RecipientSettingsTable> checks = RecipientSettingsTable::read();
  const bool none_counts = settings->has(LdapKind::accept) && !settings->active.contains(LdapKind::accept);
  if (!none_counts || !checks || !checks->asks_active_query()) return {};
  return {path + ": it has several queries of the kind accept, and none counts, so mail waits; add a line " +
          "active NAME, or ldap_query=NAME in control/recipientchecks"};
}

}  // namespace postern
