// Which sessions of the resident form run, and for whom.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <cstddef>
#include <string>
#include <unordered_map>

namespace postern::smtpd {

// Whose sessions are counted together: an IPv4 address, also one inside an IPv6 address, or the /64 of an
// IPv6 address, which is what one site has at the least (RFC 6177). Empty for loopback, which is not limited.
std::string client_key(const sockaddr_storage& address);

class RunningSessions {
 public:
  // `forgotten`: sessions of ours from before an exec, of which the clients are not known any more.
  explicit RunningSessions(size_t forgotten) : count_(forgotten) {}

  void started(pid_t pid, const std::string& client);
  void ended(pid_t pid);
  void all_ended();
  [[nodiscard]] size_t count() const { return count_; }
  [[nodiscard]] size_t of(const std::string& client) const;

 private:
  size_t count_;
  std::unordered_map<pid_t, std::string> client_of_;
  std::unordered_map<std::string, size_t> of_client_;
};

}  // namespace postern::smtpd
