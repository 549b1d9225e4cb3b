// What the operator and the programs before us said: control files, read once, and the connection's
// environment.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/environment.h"
#include "lib/result.h"

namespace postern::smtpd {

struct Settings {
  std::string me;        // control/me
  std::string greeting;  // control/smtpgreeting, else me
  std::vector<std::string>
      our_domains;  // control/rcpthosts, else control/locals, else me; empty for a relay client
  std::optional<std::string> relay_suffix;  // RELAYCLIENT: any recipient, with this put behind its address
  uint64_t message_limit_bytes = 0;         // DATABYTES, else control/databytes; 0: none
  uint64_t least_free_mib = 0;              // control/minfreememory; 0: never look
  uint64_t idle_seconds = 0;                // control/timeoutsmtpd
  uint64_t session_seconds = 0;             // control/sessionseconds
  uint64_t recipient_limit = 0;             // control/maxrcpt

  std::string queue_program;  // QMAILQUEUE
  std::string listener;       // POSTERN_LISTENER
  uint64_t icid = 0;          // POSTERN_ICID, else a new one
  std::string remote_ip;      // made safe for a header and a log line, as the next two
  std::string remote_host;    // "unknown" without TCPREMOTEHOST
  std::string local_ip;

  [[nodiscard]] bool is_ours(std::string_view domain) const;
};

Result<Settings> read_settings(const Environment& environment);

}  // namespace postern::smtpd
