// Does a directory know this recipient? One question to postern-ldapq, and what its answer means in the
// conversation: 550 5.1.1, or 451 4.3.0 where it cannot be said, or, where control/ldap says `away accept`,
// the recipient is taken.
#pragma once

#include <functional>
#include <string>

#include "lib/call.h"
#include "receipt/decision.h"

namespace postern {

using LdapAsk = std::function<Result<Reply>(const Request& request)>;

// Asks `program` (@ldapq) within `milliseconds`.
LdapAsk ask_ldap(std::string program, int64_t milliseconds);

struct LdapAcceptQuestion {
  std::string recipient;
  std::string sender{};  // empty: the null reverse-path
  std::string query{};   // of control/ldap; empty: the active one
};
// Its step is "ldap", its reason names the query with its line.
Decision ldap_accepts(const LdapAcceptQuestion& question, const LdapAsk& ask);

}  // namespace postern
