// control/recipientchecks (postern-recipientchecks(5)): which checks a recipient goes through behind the
// recipient table, for each listener.
//
//   DEFAULT    users=on
//   inbound    ldap=on ldap_trouble=defer call_ahead=exchange
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lib/result.h"

namespace postern {

// What becomes of a recipient that could not be asked about.
enum class OnTrouble : uint8_t { accept, defer, refuse };

struct RecipientSettings {
  std::string users;  // the program that is asked for mailboxes of this host; empty: the check is off
  std::string ldap;   // likewise
  OnTrouble ldap_trouble = OnTrouble::defer;
  std::string call_ahead;  // a profile of control/callahead; empty: off
};

class RecipientSettingsTable {
 public:
  // The failure (temporary, 4.3.5) names file, line and remedy.
  static Result<RecipientSettingsTable> parse(std::string_view text, std::string_view file_name);
  // control/recipientchecks; without it nothing is checked.
  static Result<RecipientSettingsTable> read();
  [[nodiscard]] const RecipientSettings& of(std::string_view listener) const;
  // Those that any listener names.
  [[nodiscard]] std::vector<std::string> profiles() const;

 private:
  RecipientSettings otherwise_;
  std::unordered_map<std::string, RecipientSettings> listeners_;
};

}  // namespace postern
