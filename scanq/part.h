// One message, or one part of a split one, on its way through the stages, and what came of it so far.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/envelope.h"
#include "lib/environment.h"
#include "lib/fd.h"
#include "lib/submit.h"

namespace postern {

enum class Fate { deliver, drop, refuse, bounce, quarantine };

struct Hold {
  std::string quarantine;
  std::string reason;
};

struct PartDecision {
  Fate fate = Fate::deliver;
  SmtpReply reply;          // with refuse: 4yz defers, 5yz rejects
  std::string stage;        // who decided
  std::string reason;       // with drop and bounce
  std::vector<Hold> holds;  // marks: where it is held unless a final verb decides otherwise
};

struct Part {
  uint64_t mid = 0;
  Fd message;  // sealed memory file
  Envelope envelope;
  Environment environment;  // Joint 2's variables and the tags, POSTERN_TAG_NAME
  std::string direction;    // in, out, local
  PartDecision decision;
  bool stopped = false;                 // no further stage
  size_t next_stage = 0;                // where a part that was split off goes on
  std::vector<std::string> stages_run;  // "NAME:OUTCOME"
};

// A message on its way to the queue, or into quarantines: a part at its end, or a copy that a stage wanted.
struct Output {
  uint64_t mid = 0;
  Fd message;  // sealed memory file
  Envelope envelope;
  Environment environment;
  std::vector<Hold> holds;  // empty: to the queue
};

// A second handle of a sealed memory file.
Result<Fd> twin(const Fd& file);
// A copy under that number, which knows where it comes from (POSTERN_PARENT_MID).
Result<Part> copy_of(const Part& part, uint64_t mid);

// Into a list of holds; a quarantine that is in it already gets the new reason.
void mark(std::vector<Hold>& holds, std::string_view quarantine, std::string_view reason);

}  // namespace postern
