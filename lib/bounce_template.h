// control/templates/bounce-NAME: the words for people in notifications, in another language. For each action
// of a notification a section; those that are missing, and all that programs read, are as built in.
//
//   [failed]
//   Subject: Ihre Nachricht konnte nicht zugestellt werden
//
//   Hier ist das Mailsystem von $Host. …
//   $Recipients
//
// $Recipients are the addresses with what was said of each, $Host reports, $Sender is the envelope sender,
// $Until the time until which is tried what is delayed.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "lib/result.h"

namespace postern {

struct BounceWords {
  std::string subject;
  std::string text;  // whole lines, UTF-8
};

// By action: failed, delayed, delivered, relayed, expanded.
using BounceTemplate = std::map<std::string, BounceWords, std::less<>>;

// The failure (temporary) names file, line and remedy.
Result<BounceTemplate> parse_bounce_template(std::string_view text, std::string_view file_name);
Result<BounceTemplate> read_bounce_template(std::string_view name);

}  // namespace postern
