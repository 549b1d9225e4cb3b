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
// What was said of a recipient, as it was said; empty where it was not.
struct Said {
  std::string code;    // the reply code
  std::string status;  // the enhanced status
  std::string text;    // what stands behind both
};
Said said_in(std::string_view report);

// `status_class` is what the outcome demands (RFC 3464 2.3.4): '5' failed, '4' delayed, '2' delivered. A
// status of another class keeps its detail: what was deferred for too long has failed.
Diagnosis diagnose(std::string_view report, char status_class = '5');

// What an enhanced status means, in a few words: its own where that is a well-known one, else its subject's.
std::string_view status_words(std::string_view status);

}  // namespace postern
