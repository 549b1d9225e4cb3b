// What control/ says about remote delivery, read once a process.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/result.h"

namespace postern {

// Seconds; the defaults are the minimum values of RFC 5321 4.5.3.2.
struct SmtpTimeouts {
  int64_t connect = 60;
  int64_t greeting = 300;
  int64_t command = 300;     // EHLO, MAIL, RCPT
  int64_t data_start = 120;  // the 354
  int64_t data_block = 180;  // each write of the message
  int64_t data_end = 600;    // the reply to the final dot
};

struct RemoteSettings {
  std::string me;           // control/me
  std::string hello;        // control/helohost, else me
  std::string dns_program;  // control/dnsq, default "@dnsq"
  uint16_t port = 25;       // control/remoteport: of hosts found by MX
  SmtpTimeouts timeouts;    // control/timeoutconnect; control/timeoutremote for all the others
  std::vector<std::string> more_own_addresses;  // control/moreipme
  std::vector<std::string> not_own_addresses;   // control/notipme
};

Result<RemoteSettings> read_remote_settings();

}  // namespace postern
