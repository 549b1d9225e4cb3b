// The text of a DSN with Action: failed (RFC 3464, in the multipart/report of RFC 6522).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "queue/bounce_request.h"

namespace postern {

// What a delivery report says, taken apart: "host[1.2.3.4]:25 said: 550 5.1.1 text" or "5.1.1 text" or
// anything else.
struct Diagnosis {
  std::string status;      // enhanced status, 5.0.0 when the report has none
  std::string remote_mta;  // the host that said it, or empty
  std::string smtp_reply;  // its reply, or empty
};
Diagnosis diagnose(std::string_view report);

struct DsnParts {
  std::string head;  // everything before the returned message or its headers
  std::string tail;  // what closes it
};
// `me` is the reporting MTA; `dsn_mid` makes boundary and Message-ID; times in seconds since 1970.
DsnParts make_dsn(const BounceRequest& request, std::string_view me, uint64_t dsn_mid, uint64_t now_seconds);

}  // namespace postern
