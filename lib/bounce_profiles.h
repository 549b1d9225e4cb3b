// control/bounceprofiles: how long something is tried, and what its sender is told (the bounce profiles of
// Cisco's AsyncOS, with its names and defaults). One line a profile, in the form of lib/parameters.h:
//
//   DEFAULT max_queue_lifetime=432000
//   patient initial_retry=300 send_delay_warnings=on
//   german  template=de soft=550+5.7.26
//
// Which profile counts: queue/bounce_choice.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lib/result.h"

namespace postern {

enum class BounceFormat { dsn, plain };

// Of a reply: each part that is not empty must fit. "5.7" fits 5.7.1, and not 5.71.0.
struct ReplyPattern {
  std::string code;    // the reply code or its first digits: "550", "55"
  std::string status;  // the enhanced status or its first parts: "5.7.26", "5.7"
  [[nodiscard]] bool fits(std::string_view reply_code, std::string_view enhanced_status) const;
};

struct BounceProfile {
  std::string name = "DEFAULT";
  unsigned max_retries = 100;            // behind the first try
  uint64_t max_queue_lifetime = 259200;  // seconds from receipt
  uint64_t initial_retry = 60;           // seconds
  uint64_t max_retry_timeout = 3600;     // seconds: no wait is longer
  std::vector<ReplyPattern> hard{};      // of 4yz replies: they fail
  std::vector<ReplyPattern> soft{};      // of 5yz replies: they are tried again
  bool send_hard_bounces = true;
  BounceFormat bounce_format = BounceFormat::dsn;
  bool send_delay_warnings = false;
  uint64_t delay_warning_interval = 14400;  // seconds from receipt, and between two warnings
  unsigned max_delay_warnings = 1;
  std::string
      bounce_recipient{};  // who is told of failures and delays instead of the sender; empty: the sender
  bool sign_bounces = false;
  uint64_t max_bounce_copy = 0;   // bytes: a message no larger is returned whole
  std::string bounce_template{};  // control/templates/bounce-NAME; empty: what is built in
};

class BounceProfiles {
 public:
  // DEFAULT alone, as it is built in.
  BounceProfiles() = default;
  // `otherwise`: what DEFAULT is where the text does not say. The failure (temporary) names file, line and
  // remedy.
  static Result<BounceProfiles> parse(std::string_view text, std::string_view file_name,
                                      const BounceProfile& otherwise = {});
  // control/bounceprofiles; control/queuelifetime, retryfirst and retrylongest where DEFAULT does not say.
  static Result<BounceProfiles> read();

  // Null: there is no such profile. Letter case is ignored; DEFAULT is one.
  [[nodiscard]] const BounceProfile* find(std::string_view name) const;
  [[nodiscard]] const BounceProfile& standard() const { return default_; }
  // Seconds: the longest wait of any profile.
  [[nodiscard]] uint64_t longest_wait() const { return longest_wait_; }
  // The templates that profiles name, each once.
  [[nodiscard]] std::vector<std::string> templates() const;

 private:
  BounceProfile default_;
  std::unordered_map<std::string, BounceProfile> named_;
  uint64_t longest_wait_ = BounceProfile{}.max_retry_timeout;
};

}  // namespace postern
