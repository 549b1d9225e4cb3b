// control/badmailfrom, badrcptto and badhelo from smtpd's side: where such a file is, postern-access is
// asked.
#pragma once

#include <cstdint>
#include <string_view>

#include "receipt/ask_program.h"
#include "receipt/decision.h"

namespace postern {

enum class AccessList : uint8_t { sender, recipient, helo };

// The verb of the question, and the file: "mail" and "badmailfrom".
struct AccessListNames {
  std::string_view verb;
  std::string_view file;
};
AccessListNames names_of(AccessList list);

// Nothing is asked without the file, and never of the null reverse-path. Who does not answer refuses for now:
// the operator's word must hold. Why: the line that decided, "FILE:LINE: TEXT".
Decision check_access(AccessList list, std::string_view value, const AskProgram& ask);

}  // namespace postern
