// A decision for people and for programs, as postern-trace and postern-rcpt print it.
#pragma once

#include <string>

#include "lib/json_text.h"
#include "receipt/decision.h"

namespace postern {

// "spf: passes (pass mailfrom example.org)".
std::string decision_text(const Decision& decision);
// step, passes, and where there is something to say rewrites, reply, why.
Json decision_json(const Decision& decision);

}  // namespace postern
