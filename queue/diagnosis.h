// What a delivery report says, taken apart.
#pragma once

#include <string>
#include <string_view>

namespace postern {

// Of "host[1.2.3.4]:25 said: 550 5.1.1 text" or "5.1.1 text" or anything else.
struct Diagnosis {
  std::string status;      // enhanced status; CLASS.0.0 when the report has none
  std::string remote_mta;  // the host that said it, or empty
  std::string smtp_reply;  // its reply, or empty
};
// `status_class` is what the outcome demands (RFC 3464 2.3.4): '5' failed, '4' delayed, '2' delivered. A
// status of another class keeps its detail: what was deferred for too long has failed.
Diagnosis diagnose(std::string_view report, char status_class = '5');

}  // namespace postern
