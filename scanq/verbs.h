// The verbs of Joint 4: their arguments, and what is wrong with a line before anything of it is applied.
#pragma once

#include <optional>
#include <string>

#include "scanq/verdict.h"

namespace postern {

enum class VerdictVerb {
  archive,
  bcc,
  bounce,
  bounce_profile,
  copy_quarantine,
  defer,
  drop,
  header_add,
  header_remove,
  hold,
  log,
  message,
  notify,
  quarantine,
  recipient_add,
  recipient_remove,
  recipient_replace,
  reject,
  route,
  score,
  sender,
  skip,
  source,
  split,
  stop,
  tag,
  ignored,  // written "?verb", and not known
};

// What of a line is wrong: the verb, the number of its arguments, or an argument of that kind.
enum class LineFault { verb, count, code, field, address, name, number, host };

struct LineProblem {
  LineFault fault;
  std::string text;
};

struct CheckedLine {
  VerdictVerb verb = VerdictVerb::ignored;
  std::optional<LineProblem> problem;  // none: the number and form of its arguments are right
};

// What depends on the message (is that one of its recipients?) shows when it is applied.
CheckedLine check_line(const VerdictLine& line);

}  // namespace postern
