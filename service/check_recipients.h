// What is wrong with the tables that say what a recipient goes through.
#pragma once

#include <string>
#include <vector>

namespace postern {

// control/callahead. The problems name file, line and remedy, as "read FILE line N: WHY".
std::vector<std::string> problems_of_call_ahead(const std::string& text, const std::string& path);
// control/recipientchecks, and the profiles and queries that it names.
std::vector<std::string> problems_of_recipient_checks(const std::string& text, const std::string& path);
// control/ldap, and what control/recipientchecks asks of it.
std::vector<std::string> problems_of_ldap(const std::string& text, const std::string& path);

}  // namespace postern
