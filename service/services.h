// The services of an instance: who runs what, with which limits, and who may ask it. The one list behind
// postern-init's run scripts, the users that it makes, and postern-showctl's checks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace postern {

// The group of every service user: it may connect to the sockets; SO_PEERCRED decides who is answered.
constexpr std::string_view kGroup = "postern";

struct Service {
  std::string name;
  std::string user;                  // "root" only for lspawn
  std::string program;               // with its arguments; "" for those that are smtpd, on a TCP port
  std::vector<std::string> clients;  // users that it answers; empty: it has no socket
  unsigned memory_mib;  // softlimit -a (not -m: that bounds the stack too, and a thread's stack is as large
                        // as its bound)
  std::string what;     // for the run script's comment
  std::string releaser{};      // the one client whose messages may say that they were released (--releasers)
  std::string variable{};      // NAME=VALUE of its own environment; several with a space between
  bool stream = false;         // its socket is a stream, for clients of another protocol
  bool for_everybody = false;  // it answers every local user, and knows each by SO_PEERCRED
  std::vector<std::string> repeaters{};  // the clients that hand on what other spools hold (--repeaters)

  [[nodiscard]] bool has_socket() const { return for_everybody || !clients.empty(); }
};

const std::vector<Service>& services();

struct ServiceUser {
  std::string name;
  std::string what;
};
const std::vector<ServiceUser>& service_users();

}  // namespace postern
