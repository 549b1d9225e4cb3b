// One message through an SMTP server on a descriptor, step by step, and what the server said in the end.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/fd.h"
#include "lib/result.h"

namespace postern {

struct SmtpAnswer {
  std::string to;           // what was answered: "the connection", "MAIL", "the message", …
  unsigned code = 0;        // 200 to 599
  std::string text;         // behind the code; printable
  bool of_message = false;  // the message itself was answered, not something before it
  [[nodiscard]] bool accepted() const { return code / 100 == 2; }
  // Refused for good by a policy (RFC 3463, 5.7.x), not for its form or size.
  [[nodiscard]] bool refused_by_policy() const { return code / 100 == 5 && text.starts_with("5.7."); }
  [[nodiscard]] std::string line() const { return std::to_string(code) + " " + text; }
};

// From the null reverse-path, so that nothing of it ever comes back. Ends at the first answer that is no
// consent. `message` has lines ended by CR LF.
Result<SmtpAnswer> hand_over(int socket, std::string_view recipient, std::string_view message,
                             int64_t deadline_milliseconds);

// A connection to a listener; the addresses that mean "all of this host" become the loopback's.
Result<Fd> connect_to_listener(const std::string& address, const std::string& port,
                               int64_t deadline_milliseconds);

}  // namespace postern
