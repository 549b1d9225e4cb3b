// What local and remote report of one job (design, Joint 5): a letter and a text for each recipient, then K,
// Z or D and a text for the message, each ended by NUL. A recipient's letter is r delivered, p delivered to a
// host that will tell the sender itself (RFC 3461), e expanded to several addresses, h failed, s not yet, u
// not tried: its next hop is on the global unsubscribe list, w not tried: a limit of its hosts' addresses is
// reached; the text begins with how many milliseconds to wait.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/request.h"

namespace postern {

enum class Outcome { delivered, passed_on, expanded, permanent, temporary, unsubscribed, held_back };
constexpr bool is_done(Outcome outcome) {
  return outcome != Outcome::permanent && outcome != Outcome::temporary && outcome != Outcome::held_back;
}

struct RecipientReport {
  Outcome outcome = Outcome::temporary;
  std::string text;
};

// One report for each of `recipients`. What is missing, cut short or unknown is temporary: never a guess. Z
// makes every `r`, `p`, `e` and `u` temporary too; D permanent.
std::vector<RecipientReport> parse_reports(std::string_view bytes, size_t recipients);

// Of one that was held back: how long, milliseconds, and why.
struct HeldBack {
  int64_t wait = 0;
  std::string why;
};
HeldBack held_back_in(std::string_view text);

// The first with that outcome; null: there is none.
const RecipientReport* first_with(Outcome outcome, const std::vector<RecipientReport>& reports);

// The same of a reply as it came: every exit code but 0, and a reply that did not come, is temporary.
std::vector<RecipientReport> reports_of(const Result<Reply>& reply, size_t recipients);

}  // namespace postern
