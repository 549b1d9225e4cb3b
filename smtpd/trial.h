// A conversation that is only tried (postern-trace): what it decides is seen by somebody, and nothing is
// counted or told to other programs for it.
#pragma once

#include <functional>
#include <string_view>

#include "receipt/decision.h"
#include "receipt/rates.h"
#include "receipt/recipient.h"

namespace postern::smtpd {

struct Trial {
  std::function<void(std::string_view line)> command;  // has come, and is obeyed now
  std::function<void(const Decision&)> decided;        // a step has, but for those of a recipient
  std::function<void(const RecipientVerdict&)> judged;
  AskRates ask_rates;  // in place of postern-rated; must not count
};

}  // namespace postern::smtpd
