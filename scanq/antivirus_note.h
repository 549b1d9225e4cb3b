// What is told to people about a verdict: the values of the variables in settings and in the note, and the
// name of a file as it may be shown.
#pragma once

#include <string>
#include <string_view>

#include "lib/environment.h"
#include "scanq/antivirus_policy.h"
#include "scanq/antivirus_verdict.h"
#include "scanq/message_parts.h"

namespace postern {

AntivirusVariables antivirus_variables(const AntivirusVerdict& verdict, const AntivirusPolicy& policy,
                                       const Environment& environment);

// A file's name from a part's header, decoded: UTF-8 without quotes, controls and what changes the direction
// of writing; at most 120 characters. "(no name)" where there is none.
std::string shown_file_name(std::string_view message, const MessagePart& part);

}  // namespace postern
