// What goes out is signed where it enters the queue, once, and its sender gets a bounce tag: both are asked
// of postern-signq, which alone has the keys (design, Joint 4).
#pragma once

#include <cstdint>
#include <string>

#include "lib/envelope.h"
#include "lib/environment.h"
#include "lib/fd.h"
#include "lib/result.h"
#include "lib/watched_file.h"
#include "queue/sender_tags.h"

namespace postern {

struct Outgoing {
  Fd message;          // a sealed copy, where one was made: what was signed is what has to be queued
  std::string fields;  // DKIM-Signature, to stand before it; empty: none
  std::string tagged;  // the sender for destinations with bounce_validation; empty: it has no tag
};

class OutgoingMail {
 public:
  OutgoingMail();
  // Asks nobody where there is nothing to be made: POSTERN_DIRECTION is not "out" (unless POSTERN_SIGN is
  // "yes"), POSTERN_SIGN is "no", there is no control/dkim and no destination has bounce_validation. Exit
  // codes of the queue interface in the failure: what cannot be signed now has to wait.
  Result<Outgoing> prepare(uint64_t mid, int message, const Envelope& envelope,
                           const Environment& environment);

 private:
  bool wants_tag(const Envelope& envelope);

  WatchedFile table_;
  SenderTags tags_;
};

}  // namespace postern
