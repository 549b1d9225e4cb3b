// One step of an AUTH exchange, asked of authq (postern-authq(8)).
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "lib/request.h"
#include "lib/result.h"
#include "lib/secret.h"
#include "smtpd/settings.h"

namespace postern::smtpd {

enum class AuthCode : int {
  authenticated = 0,
  refused = 1,
  go_on = 2,
  too_many_failures = 3,
  not_understood = 4,
  unknown_mechanism = 5,
  try_again = 111,  // with an output as of `refused`: somebody said no, and it counts
};

// `response` in base64, as the client said it; null: it has not said any.
using AskAuth = std::function<Result<postern::Reply>(const std::string& mechanism, const std::string& state,
                                                     const Secret* response, const Settings& settings)>;
Result<postern::Reply> ask_authq(const std::string& mechanism, const std::string& state,
                                 const Secret* response, const Settings& settings);

// How long a failure still waits when the answer to the response has taken `elapsed` milliseconds; `delay` as
// authq says it. The wait begins with the response: checkers of others take longer for users they know. What
// takes longer than the delay ends with a whole step.
int64_t rest_of_delay(std::string_view delay, int64_t elapsed);

}  // namespace postern::smtpd
