// The lines that a stage prints (design, Joint 4): a verb, then its arguments separated by TAB, with \\ \t \n
// \r escaped.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/result.h"

namespace postern {

struct VerdictLine {
  std::string verb;
  std::vector<std::string> arguments;
  bool may_ignore = false;  // written "?verb"
};

// Every line must end with LF. A broken escape, a NUL or an empty line is a failure: half a verdict is none.
Result<std::vector<VerdictLine>> parse_verdict(std::string_view text);
// With the LF.
std::string format_verdict_line(const VerdictLine& line);

}  // namespace postern
