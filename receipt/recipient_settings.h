// control/recipientchecks (postern-recipientchecks(5)): which checks a recipient goes through behind the
// recipient table, for each listener.
//
//   DEFAULT    users=on
//   inbound    ldap_query=staff ldap_trouble=defer call_ahead=exchange
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lib/result.h"

namespace postern {

inline constexpr const char* kLdapProgram = "@ldapq";

// What becomes of a recipient that could not be asked about.
enum class OnTrouble : uint8_t { accept, defer, refuse };

struct RecipientSettings {
  std::string users;  // the program that is asked for mailboxes of this host; empty: the check is off
  std::string ldap = kLdapProgram;        // likewise; this one only where there is control/ldap
  std::string ldap_query;                 // of control/ldap; empty: the active one
  std::optional<OnTrouble> ldap_trouble;  // without it: as control/ldap says, else defer
  std::string call_ahead;                 // a profile of control/callahead; empty: off
};

class RecipientSettingsTable {
 public:
  // The failure (temporary, 4.3.5) names file, line and remedy.
  static Result<RecipientSettingsTable> parse(std::string_view text, std::string_view file_name);
  // control/recipientchecks; without it the directory alone is asked, where there is one.
  static Result<RecipientSettingsTable> read();
  [[nodiscard]] const RecipientSettings& of(std::string_view listener) const;
  // Those that any listener names: profiles of call-ahead, queries of control/ldap.
  [[nodiscard]] std::vector<std::string> profiles() const { return named(&RecipientSettings::call_ahead); }
  [[nodiscard]] std::vector<std::string> ldap_queries() const {
    return named(&RecipientSettings::ldap_query);
  }
  // A listener asks @ldapq and leaves the query to control/ldap.
  [[nodiscard]] bool asks_active_query() const;

 private:
  [[nodiscard]] std::vector<std::string> named(std::string RecipientSettings::*what) const;

  RecipientSettings otherwise_;
  std::unordered_map<std::string, RecipientSettings> listeners_;
};

}  // namespace postern
