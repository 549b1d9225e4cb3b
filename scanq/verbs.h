// The verbs of Joint 4: their arguments, and what is wrong with a line before anything of it is applied.
#pragma once

#include <string_view>

#include "lib/result.h"
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

// The verb of a line whose number and form of arguments are right; a temporary failure that says what is
// wrong otherwise. What depends on the message (is that one of its recipients?) shows when it is applied.
Result<VerdictVerb> check_line(const VerdictLine& line);

}  // namespace postern
