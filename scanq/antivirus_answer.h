// What a stage that looks for viruses does with a message.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "lib/serve.h"
#include "scanq/antivirus_actions.h"

namespace postern {

// Looks at a whole message. The virus of the name `exempt` does not count (empty: each does).
using Look = std::function<AntivirusVerdict(std::string_view message, const std::string& exempt)>;

// Has `look` look at the message on descriptor 0, logs what it found as `engine`'s, and does what the policy
// says of it: appends the verdict's lines to `output`, returns the stage's exit code.
int answer_job(Job& job, const Look& look, std::string_view engine, const AntivirusPolicy& policy,
               std::string& output);

}  // namespace postern
