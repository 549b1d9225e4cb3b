// One connection to a directory server by libldap: with TLS and bound, or not there at all.
#pragma once

#include <ldap.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/ldap_settings.h"
#include "lib/result.h"

namespace postern {

struct LdapSearch {
  std::string base{};
  LdapServer::Scope scope = LdapServer::Scope::sub;
  std::string filter{};                   // tokens put in
  std::vector<std::string> attributes{};  // none: only names of entries come back
  int most_entries = 2;
};

struct LdapEntry {
  std::string dn{};
  std::map<std::string, std::vector<std::string>> values{};  // by the attribute's name as it was asked for
};

struct LdapEntries {
  std::vector<LdapEntry> entries{};
  bool more = false;  // than were asked for
};

class LdapConnection {
 public:
  // Connects, begins TLS where the server's settings say so (a certificate that is not good for the host is a
  // failure) and binds with `password` where there is a name to bind with. Each step within connect_seconds.
  static Result<LdapConnection> open(const std::string& uri, const LdapServer& server,
                                     const std::string& password);

  Result<LdapEntries> search(const LdapSearch& search, unsigned timeout_seconds);
  // Is that the password of `dn`? An empty one is no password, and an empty name nobody's: servers take both
  // for an anonymous bind and say yes (RFC 4513 5.1.2). The connection has that identity afterwards.
  Result<bool> bind(const std::string& dn, const std::string& password);

  // Behind a failure: the connection is of no more use, or its server is in no state to answer.
  [[nodiscard]] bool lost() const { return lost_; }

 private:
  struct Unbind {
    void operator()(LDAP* ldap) const { ::ldap_unbind_ext_s(ldap, nullptr, nullptr); }
  };
  Result<void> secure(const std::string& uri, const LdapServer& server);
  Failure failed(const std::string& doing, int code);
  [[nodiscard]] LdapEntry entry_of(LDAPMessage* message, const LdapSearch& search) const;

  std::unique_ptr<LDAP, Unbind> ldap_;
  bool lost_ = false;
};

}  // namespace postern
