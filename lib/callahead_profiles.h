// control/callahead (postern-callahead(5)): how the hosts that mail is for are asked whether they take a
// recipient.
//
//   DEFAULT   timeout=30 failure=defer
//   exchange  servers=mail1.example.org:25,192.0.2.7 mail_from=probe@example.org failure=accept
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lib/next_hop.h"
#include "lib/result.h"

namespace postern {

enum class CallAheadAction : uint8_t { accept, defer, refuse };

struct CallAheadProfile {
  std::vector<NextHop> servers;  // in turn; empty: the host that the recipient's mail would go to
  std::string interface;         // our address; empty: the system chooses
  std::string mail_from;         // empty: the null reverse-path
  uint32_t timeout = 30;         // seconds: one recipient, all servers together
  CallAheadAction failure = CallAheadAction::defer;            // nobody gave an answer that says anything
  CallAheadAction temporary_failure = CallAheadAction::defer;  // 4yz
  uint32_t max_recipients = 1000;                              // of one connection
  uint32_t max_connections = 10;                               // to one server at a time
  uint32_t cache_size = 10000;                                 // answers; 0: none is kept
  uint32_t cache_ttl = 900;                                    // seconds
};

constexpr uint64_t kLongestCallAheadSeconds = 240;

class CallAheadProfiles {
 public:
  // The failure (temporary, 4.3.5) names file, line and remedy.
  static Result<CallAheadProfiles> parse(std::string_view text, std::string_view file_name);
  static Result<CallAheadProfiles> read();  // control/callahead; without it there is none
  // Letter case does not count; nullptr: there is none.
  [[nodiscard]] const CallAheadProfile* find(std::string_view name) const;
  [[nodiscard]] const std::map<std::string, CallAheadProfile>& all() const { return profiles_; }

 private:
  std::map<std::string, CallAheadProfile> profiles_;
};

}  // namespace postern
