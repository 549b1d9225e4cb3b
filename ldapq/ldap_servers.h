// A worker's part of the pool: at most one connection to each directory for searches, and one on which users'
// passwords are tried. A connection that was lost is made anew; a server that does not answer is passed over
// for the next one of its list, and left alone for a while by all workers.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "ldapq/ldap_connection.h"
#include "ldapq/shared_state.h"
#include "lib/ldap_settings.h"

namespace postern {

class LdapServers {
 public:
  // `passwords` by the server's name. All three have to outlive it.
  LdapServers(const LdapSettings& settings, const std::map<std::string, std::string>& passwords,
              const SharedState& shared)
      : settings_(settings), passwords_(passwords), shared_(shared) {}

  // `server` is a name of the settings. Failures say what each of its servers answered.
  Result<LdapEntries> search(const std::string& server, const LdapSearch& search);
  Result<bool> bind(const std::string& server, const std::string& dn, const std::string& password);
  // Which server answered last.
  [[nodiscard]] const std::string& last_uri() const { return last_uri_; }

 private:
  struct Held {
    std::optional<LdapConnection> connection{};
    size_t uri = 0;
    int64_t used = 0;  // milliseconds
  };
  // What is done on a connection; empty when it has been answered, else why another server has to be asked.
  using Attempt = std::function<std::string(LdapConnection& connection)>;

  // Empty when `attempt` was done, else why not.
  std::string try_servers(const std::string& name, bool for_passwords, const Attempt& attempt);
  bool try_held(Held& held, const LdapServer& server, const Attempt& attempt);
  bool better_is_up(const Held& held, const LdapServer& server) const;
  void note_failure(const std::string& uri, const LdapServer& server, bool probe, const std::string& why);

  const LdapSettings& settings_;
  const std::map<std::string, std::string>& passwords_;
  const SharedState& shared_;
  std::map<std::pair<std::string, bool>, Held> held_;
  std::string last_uri_;
};

}  // namespace postern
