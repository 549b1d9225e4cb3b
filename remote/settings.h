// What control/ says about remote delivery, read once a process.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/result.h"

namespace postern {

// Seconds; the defaults are the minimum values of RFC 5321 4.5.3.2, which says nothing of RSET.
struct SmtpTimeouts {
  int64_t connect = 60;
  int64_t greeting = 300;
  int64_t hello = 300;     // EHLO and HELO
  int64_t starttls = 300;  // the reply to STARTTLS, and then the handshake
  int64_t mail = 300;
  int64_t rcpt = 300;
  int64_t data = 120;   // the 354
  int64_t block = 180;  // until the server takes more of the message
  int64_t end = 600;    // the reply to the final dot
  int64_t reset = 20;
};

enum class IpFamily { v4, v6 };

struct RemoteSettings {
  std::string me;                                                 // control/me
  std::string hello;                                              // control/helohost, else me
  std::string dns_program;                                        // control/dnsq, default "@dnsq"
  std::string sts_program;                                        // control/stsd, default "@stsd"
  std::string tls_report_program;                                 // control/tlsrpt, default "@tlsrpt"
  uint16_t port = 25;                                             // control/remoteport: of hosts found by MX
  int64_t dns_milliseconds = 60000;                               // for each question
  SmtpTimeouts timeouts;                                          // control/timeout*
  std::vector<std::string> more_own_addresses;                    // control/moreipme
  std::vector<std::string> not_own_addresses;                     // control/notipme
  std::vector<IpFamily> families = {IpFamily::v6, IpFamily::v4};  // control/ipfamilies: in that order
  std::vector<std::string> ignored_extensions;                    // control/ehloignore, upper case
  bool refuse_8bit = false;                                       // control/eightbitmime says "refuse"
  unsigned tls_minimum = 2;                                       // control/tlsminimum: the x of TLSv1.x
  std::string tls_authorities = "/etc/ssl/certs";  // control/tlscapath: OpenSSL's directory of hashed names
};

Result<RemoteSettings> read_remote_settings();

}  // namespace postern
