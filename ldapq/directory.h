// What the questions to postern-ldapq mean: which query of control/ldap they are put to, what is asked of
// which server, and what its entries say. A chain goes on until a query says yes; where none does and one of
// them could not be answered, the whole is trouble and never a "no".
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ldapq/ldap_servers.h"
#include "ldapq/shared_state.h"
#include "lib/ldap_settings.h"

namespace postern {

struct LdapAnswer {
  enum class Kind { yes, no, trouble };
  Kind kind = Kind::trouble;
  std::vector<std::string>
      lines{};                 // routing: "HOST\tADDRESS"; the other kinds that give addresses: one each
  std::string why{};           // for people: the query with its line, and what came of it
  std::string away = "defer";  // of trouble with acceptance: "accept", "defer" or a reply
};

struct LdapQuestion {
  LdapKind kind = LdapKind::accept;
  std::string name{};  // a query, chain or domains; empty or a kind's name: the active one of the kind
  LdapValues values{};
  std::optional<std::string>
      password{};  // of the kinds that try one; without it the entry alone is looked for
};

class Directory {
 public:
  // `passwords` of the servers by name; `stamp` tells what is kept under these settings from what is kept
  // under others.
  Directory(LdapSettings settings, std::map<std::string, std::string> passwords, const SharedState& shared,
            std::string stamp);
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  LdapAnswer ask(const LdapQuestion& question);
  // The same, of a query of any kind and without looking at what is kept: `told` gets what is asked and what
  // comes back, a line each.
  LdapAnswer explain(const LdapQuestion& question, std::vector<std::string>& told);

  [[nodiscard]] const LdapSettings& settings() const { return settings_; }

 private:
  LdapAnswer ask_named(const std::string& name, const LdapQuestion& question);
  LdapAnswer ask_chain(const std::string& name, const LdapChain& chain, const LdapQuestion& question);
  LdapAnswer ask_query(const std::string& name, const LdapQuery& query, const LdapQuestion& question);
  LdapAnswer look_up(const std::string& name, const LdapQuery& query, LdapValues values);
  LdapAnswer try_password(const std::string& name, const LdapQuery& query, const LdapQuestion& question,
                          const LdapAnswer& entry);
  LdapAnswer judge(const std::string& name, const LdapQuery& query, const LdapValues& values,
                   const LdapEntries& found) const;
  Result<LdapEntries> search(const LdapQuery& query, const LdapFilter& filter, const LdapValues& values,
                             std::vector<std::string> attributes);
  [[nodiscard]] std::string key_of(const std::string& name, const LdapQuery& query,
                                   const LdapValues& values) const;
  [[nodiscard]] std::string label(std::string_view name) const;
  void tell(const std::string& line);

  const LdapSettings settings_;
  const std::map<std::string, std::string> passwords_;
  const SharedState& shared_;
  const std::string stamp_;
  LdapServers servers_;
  std::vector<std::string>* told_ = nullptr;
};

// "smtp:" and "SMTP:" taken off, as Active Directory has them; empty where the value is no address.
std::string address_of_value(std::string_view value);
// A name, and not an address; empty where the value is none.
std::string host_of_value(std::string_view value);

}  // namespace postern
