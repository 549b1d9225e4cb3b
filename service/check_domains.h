// Do the tables that say what becomes of a domain agree with those that say for which domains mail is taken?
#pragma once

#include <string>
#include <vector>

namespace postern {

// Each domain of control/locals and control/virtualdomains that smtpd refuses mail for, because neither
// control/rcpthosts nor control/morercpthosts.cdb has it, with the remedy.
std::vector<std::string> unreachable_domains();

}  // namespace postern
