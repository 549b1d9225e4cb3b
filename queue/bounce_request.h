// What send tells bounce on descriptor 3: NUL-ended records, one letter and a value each.
//
//   m MID   s SENDER   t TO: who is told, where that is not the sender   e ENVID
//   a ARRIVAL, l LAST TRY (seconds since 1970)   f or h: return the full message or its headers
//   c BYTES: return the full message also where it is no larger   u: the message came with SMTPUTF8
//   p: as plain text, not as a DSN   g NAME: in the words of control/templates/bounce-NAME   y: sign it
//   r RECIPIENT, and behind it o ORCPT, k ACTION (failed where it is missing) and d WHY for that recipient
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/result.h"

namespace postern {

// The Action of RFC 3464 2.3.3.
enum class Action { failed, delayed, delivered, relayed, expanded };
std::string_view action_word(Action action);
std::optional<Action> action_of(std::string_view word);

struct ReportedRecipient {
  std::string address;
  std::string orcpt;
  Action action = Action::failed;
  std::string why;  // as remote or local reported it
};

struct BounceRequest {
  uint64_t mid = 0;
  std::string sender;
  std::string to{};  // empty: the sender
  std::string envid{};
  uint64_t arrival = 0;     // seconds since 1970
  uint64_t last_try = 0;    // seconds since 1970: until then what is delayed will be tried
  bool full = false;        // RET=FULL was asked for
  uint64_t copy_bytes = 0;  // a message no larger is returned in full, though that was not asked for
  bool smtputf8 = false;
  bool plain = false;
  std::string bounce_template{};  // empty: what is built in
  bool sign = false;
  std::vector<ReportedRecipient> recipients{};

  [[nodiscard]] const std::string& addressee() const { return to.empty() ? sender : to; }
  [[nodiscard]] bool tells_of(Action action) const;
};

std::string serialise_bounce_request(const BounceRequest& request);
Result<BounceRequest> parse_bounce_request(std::string_view bytes);

}  // namespace postern
