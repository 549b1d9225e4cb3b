// What came of a message goes where it belongs: to the queue, into quarantines, or, when it is more than one
// thing, as a set that commits all of it at once.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/result.h"
#include "lib/submit.h"
#include "scanq/part.h"

namespace postern {

struct Programs {
  std::string queue;
  std::string quarantine;
  std::string sets;
};

constexpr const char* kRefusedQuarantine = "Refused";

// Nothing for a part that is dropped. One that is refused is held, where the conversation cannot refuse it.
std::vector<Output> outputs_of(std::vector<Part>& parts, bool hold_refused);

// One output, durably there when the exit code is 0.
QueueAnswer place(const Output& output, const Programs& programs, int64_t deadline_milliseconds);

// All of them as a set, durable when the exit code is 0; `original` is what came of the client: under its
// number and envelope the set is known again.
QueueAnswer commit_set(const std::vector<Output>& outputs, uint64_t mid, const Envelope& original,
                       const Environment& environment, const Programs& programs,
                       int64_t deadline_milliseconds);

// Places every output of a set; the answer of the first that cannot be placed. An output that an earlier try
// has placed is known by POSTERN_WORK, which `request` must have. Those that are held come last: who looks
// after a quarantine may take something away before a set is tried again.
QueueAnswer place_set(int file, const Environment& request, const Programs& programs,
                      int64_t deadline_milliseconds);

// "MID FATE DETAIL" and an LF for each part: queued, quarantined, dropped, refused or deferred.
std::string fates_of(const std::vector<Part>& parts, bool hold_refused);

}  // namespace postern
