// The lines of control/ldap's sections, one function for each kind of section: what a word sets, and which
// values it takes. What holds between lines and sections is lib/ldap_settings.cc's.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lib/ldap_settings.h"

namespace postern {

// A query's base and scope are marked as set by the reader: what it does not say is the server's.
struct LdapQueryDraft {
  LdapQuery query{};
  std::optional<std::string> base{};
  std::optional<LdapServer::Scope> scope{};
};

// Sets what the line says. Empty when it was taken, else what is wrong and what may stand there.
std::string set_ldap_word(std::string_view word, std::string_view value, LdapServer& server);
std::string set_ldap_word(std::string_view word, std::string_view value, LdapQueryDraft& draft);
std::string set_ldap_word(std::string_view word, std::string_view value, LdapChain& chain);
std::string set_ldap_word(std::string_view word, std::string_view value, LdapDomains& domains);

}  // namespace postern
