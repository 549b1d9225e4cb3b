// What is reported of a delivery, as qmail-remote does: r, p, h, s or u and a text for each recipient, then
// K, Z or D and a text for the message, each ended by NUL.
//
// A text has one of two forms: "HOST[ADDRESS]:PORT said: CODE STATUS TEXT" for what a server replied, or
// "STATUS TEXT" for what we found ourselves. It holds printable ASCII only.
#pragma once

#include <string>
#include <vector>

#include "lib/result.h"

namespace postern {

struct RecipientResult {
  char letter = 's';  // r delivered, p delivered to a host that took NOTIFY too, h permanent, s temporary,
                      // u not tried: the next hop is on the global unsubscribe list
  std::string text;
};

constexpr bool is_delivered(char letter) {
  return letter == 'r' || letter == 'p';
}

std::string failure_text(const Failure& failure);
// One failure for all.
std::vector<RecipientResult> all_failed(size_t recipients, const Failure& failure);
// At most 64 KiB, whatever the number of recipients: texts are cut.
std::string format_reports(const std::vector<RecipientResult>& results);

}  // namespace postern
