// What is reported of a delivery, as qmail-remote does: r, p, h, s, u or w and a text for each recipient,
// then K, Z or D and a text for the message, each ended by NUL.
//
// A text has one of two forms: "HOST[ADDRESS]:PORT said: CODE STATUS TEXT" for what a server replied, or
// "STATUS TEXT" for what we found ourselves. It holds printable ASCII only. That of w, which only
// postern-send gets, begins with a number: milliseconds after which it is worth to ask again.
#pragma once

#include <string>
#include <vector>

#include "lib/result.h"

namespace postern {

struct RecipientResult {
  char letter = 's';  // r delivered, p delivered to a host that took NOTIFY too, h permanent, s temporary,
                      // u not tried: the next hop is on the global unsubscribe list, w not tried: a limit
                      // of its addresses is reached
  std::string text;
};

constexpr bool is_delivered(char letter) {
  return letter == 'r' || letter == 'p';
}

std::string failure_text(const Failure& failure);
// For who knows no w: s, without the number.
void as_temporary(std::vector<RecipientResult>& held);
// One failure for all.
std::vector<RecipientResult> all_failed(size_t recipients, const Failure& failure);
// At most 64 KiB, whatever the number of recipients: texts are cut.
std::string format_reports(const std::vector<RecipientResult>& results);

}  // namespace postern
