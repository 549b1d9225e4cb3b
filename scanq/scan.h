// One message, or one part of a split one, on its way through the stages.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/envelope.h"
#include "lib/environment.h"
#include "lib/fd.h"
#include "lib/result.h"
#include "lib/submit.h"
#include "scanq/stages.h"
#include "scanq/verdict.h"

namespace postern {

struct Part {
  uint64_t mid = 0;
  Fd message;  // sealed memory file
  Envelope envelope;
  Environment environment;  // Joint 2's variables and the tags, POSTERN_TAG_NAME
  std::string direction;    // in, out, local
};

enum class Fate { deliver, drop, refuse, quarantine };

struct Hold {
  std::string quarantine;
  std::string reason;
};

struct Decision {
  Fate fate = Fate::deliver;
  SmtpReply reply;     // with refuse: 4yz defers, 5yz rejects
  std::string stage;   // who decided
  std::string reason;  // with drop
  std::optional<Hold> hold;
  std::vector<std::string> stages_run;
};

// Runs the stages over the part, edits included, and says what is to become of it. Commits nothing.
// `deadline_milliseconds` is the end of the budget for the whole message.
Decision scan(Part& part, const std::vector<Stage>& stages, int64_t deadline_milliseconds);

// What one stage's verdict does: to the part, to the decision, and to the stages still to come. Exposed for
// tests; a failure is a failure of the stage, and nothing of its verdict has been applied then.
struct Effects {
  bool stop = false;
  std::vector<std::string> skips;
};
Result<Effects> apply_verdict(Part& part, Decision& decision, const Stage& stage,
                              const std::vector<VerdictLine>& lines, Fd output);

}  // namespace postern
